import LoopCore
import Testing

@Suite("The same program on every platform") struct TourTests {
    @Test("What it says on Linux is what it says on Windows, where the suite of Wine runs it") func tour() throws {
        let said = try onLoop { loop in await SocketTour.run(on: loop) }
        #expect(said == SocketTour.expected)
    }
}
