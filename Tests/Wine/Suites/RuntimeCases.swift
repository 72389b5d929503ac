#if hasFeature(Embedded)
internal import Synchronization
internal import _Concurrency

/// The image and its host: what every other suite stands on.
enum RuntimeCases {
    static let suite = Suite(
        "the runtime",
        [
            Case("a task without an executor runs when its jobs are run") { check throws(Unmet) in
                let box = Box()
                Task { box.found.store(1, ordering: .relaxed) }
                check.expectEqual(box.found.load(ordering: .relaxed), 0, "before")
                Jobs.drain()
                check.expectEqual(box.found.load(ordering: .relaxed), 1, "after")
            },
            Case("actors, task groups and async let give what they computed") { check throws(Unmet) in
                let box = Box()
                Task {
                    let counter = Counter()
                    await withTaskGroup(of: Void.self) { group in
                        for number in 1...100 { group.addTask { await counter.add(number) } }
                    }
                    async let twice = counter.total * 2
                    box.found.store(await twice, ordering: .relaxed)
                }
                Jobs.drain()
                check.expectEqual(box.found.load(ordering: .relaxed), 10100, "the sum")
            },
            Case("text, tables and numbers work") { check throws(Unmet) in
                var table: [String: Int] = [:]
                for number in 1...1000 { table["number \(number)"] = number }
                check.expectEqual(table.values.reduce(0, +), 500_500, "a dictionary")
                check.expect("\(1.5) and \(-7)" == "1.5 and -7", "text with numbers in it")
                check.expect("Straße".uppercased().utf8.count == 7, "Unicode's own tables")
                var random = SystemRandomNumberGenerator()
                check.expect(random.next() != random.next(), "random numbers of the host")
            },
        ])
}

private final class Box: Sendable {
    let found = Atomic(0)
}

private actor Counter {
    private(set) var total = 0

    func add(_ number: Int) { total += number }
}
#endif
