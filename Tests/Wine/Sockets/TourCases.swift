internal import LoopCore
internal import SocketOps
internal import _Concurrency

/// The program that Linux runs too, with its text.
enum TourCases {
    static var suite: Suite {
        Suite("SocketOps: one program", on: [.sockets("it says on this platform what it says on every other", tour)])
    }

    private static func tour(_ loop: isolated EventLoop) async throws(Unmet) {
        let said = await SocketTour.run(on: loop)
        for (place, line) in SocketTour.expected.enumerated() {
            let found = place < said.count ? said[place] : "nothing"
            try demand(found == line, "line \(place + 1): expected \"\(line)\", found \"\(found)\"")
        }
        try demand(said.count == SocketTour.expected.count, "\(said.count) lines")
    }
}
