/// Names in an order that people expect: ttyS2 before ttyS10.
struct PortOrder: Comparable {
    private let name: [UInt8]
    private let number: Int

    init(_ path: SerialText) {
        let isDigit = { (byte: UInt8) in byte >= 0x30 && byte <= 0x39 }
        let digits = path.bytes.reversed().prefix(while: isDigit).count
        name = Array(path.bytes.dropLast(digits))
        number = path.bytes.suffix(digits).reduce(0) { $0 &* 10 &+ Int($1 - 0x30) }
    }

    static func < (a: PortOrder, b: PortOrder) -> Bool {
        a.name == b.name ? a.number < b.number : a.name.lexicographicallyPrecedes(b.name)
    }
}
