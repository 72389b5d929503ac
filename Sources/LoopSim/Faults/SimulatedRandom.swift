/// Numbers that look random and are the same again for the same seed: xoshiro256**, seeded by splitmix64.
///
/// The algorithms are Blackman's and Vigna's (https://prng.di.unimi.it). The standard library's generator cannot be seeded.
public struct SimulatedRandom: RandomNumberGenerator, Sendable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    /// The sequence of a seed. Neighbouring seeds give unrelated sequences: splitmix64 stands between.
    public init(seed: UInt64) {
        var mixer = seed
        func mixed() -> UInt64 {
            mixer &+= 0x9E37_79B9_7F4A_7C15
            return SimulatedRandom.mix(mixer)
        }
        state = (mixed(), mixed(), mixed(), mixed())
    }

    public mutating func next() -> UInt64 {
        let product = state.1 &* 5
        let result = (product << 7 | product >> 57) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = state.3 << 45 | state.3 >> 19
        return result
    }

    /// A number from zero to below `bound`; zero where there is no room for another. The bias of at most 2^-32 is nobody's here.
    public mutating func below(_ bound: Int) -> Int {
        guard bound > 1 else { return 0 }
        return Int(((next() >> 32) &* UInt64(truncatingIfNeeded: bound)) >> 32)
    }

    /// Whether it happens this time. A chance of never draws no number: a fault that is off leaves the other choices as they were.
    public mutating func happens(_ chance: Chance) -> Bool {
        guard chance.perThousand > 0 else { return false }
        return below(1000) < chance.perThousand
    }

    /// The finaliser of splitmix64: spreads a number over all 64 bits.
    static func mix(_ number: UInt64) -> UInt64 {
        var mixed = number
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// How often something happens.
public struct Chance: Hashable, Sendable {
    /// Times in a thousand.
    public let perThousand: Int

    /// Clamped to 0…1000.
    public init(perThousand: Int) { self.perThousand = max(0, min(1000, perThousand)) }

    /// Zero times in a thousand.
    public static let never = Chance(perThousand: 0)
    /// A thousand times in a thousand.
    public static let always = Chance(perThousand: 1000)
}
