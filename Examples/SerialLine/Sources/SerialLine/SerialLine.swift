// example: SerialLine
import Portloop
import SerialOps

/// Asks a device for its name, as one does over a line protocol.
func ask(_ port: SerialPort) async throws(SerialError) -> String {
    try await port.write("NAME?\r\n", timeout: .seconds(1))
    return String(decoding: try await port.readLine(timeout: .seconds(1)), as: UTF8.self)
}

func start() throws {
    let loop = try EventLoop.native()
    try loop.run { loop in
        // A pair of ports, each the other's other end. A real one: try await SerialPort.open("/dev/ttyUSB0", settings, on: loop)
        let pair = try await SerialPair.virtual(on: loop, SerialSettings(baud: 9_600))
        loop.spawn(name: "device") { _ async throws(SerialError) in
            let question = try await pair.device.readLine()
            try await pair.device.write(question == Array("NAME?".utf8) ? "PORTLOOP-1\r\n" : "ERROR\r\n")
        }
        print(try await ask(pair.port))
        do throws(SerialError) { print(try await ask(pair.port)) } catch { print(error) }
        await pair.port.close()
        await pair.device.close()
    }
    loop.shutdown()
}

@main enum Main { static func main() throws { try start() } }
