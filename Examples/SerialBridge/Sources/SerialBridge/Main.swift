import Glibc
import Portloop
import SerialOps
import SocketOps

/// Why there is no bridge, or none any more.
enum BridgeError: Error, CustomStringConvertible {
    case port(SerialError)
    case socket(SocketError)

    var description: String {
        switch self {
        case .port(let error): "the port: \(error)"
        case .socket(let error): "the network: \(error)"
        }
    }
}

/// Opens the port and takes connections, until it is cancelled or the device is gone.
func serve(_ path: String, _ number: UInt16, on loop: isolated EventLoop) async throws(BridgeError) {
    let port: SerialPort
    do throws(SerialError) { port = try await SerialPort.open(SerialText(path), on: loop) } catch { throw .port(error) }
    let listener: TCPListener
    do throws(SocketError) {
        listener = try await TCPListener.listen("127.0.0.1", number, ListenOptions(connectionsMax: 64), on: loop)
    } catch {
        throw .socket(error)
    }
    say("listening on port \(listener.port)")
    let bridge = Bridge(port)
    loop.spawn(name: "lines") { _ async in await watchLines(of: bridge) }
    loop.spawn(name: "connections") { _ async throws(BridgeError) in
        do throws(SocketError) { try await accept(listener, bridge) } catch { throw .socket(error) }
    }
    do throws(SerialError) { try await listen(to: port, bridge) } catch { throw .port(error) }
}

func accept(_ listener: TCPListener, _ bridge: Bridge) async throws(SocketError) {
    while true {
        let stream = try await listener.accept()
        bridge.loop.spawn(name: "client") { _ async in
            // One whose machine is gone does not hang up.
            do throws(SocketError) { try await stream.setKeepAlive(KeepAlive()) } catch {}
            await serve(stream, on: bridge)
        }
    }
}

/// Tells all clients what the device says; it is said to nobody where there are none.
func listen(to port: SerialPort, _ bridge: Bridge) async throws(SerialError) {
    while true { await bridge.tellAll(try await port.read(max: 4_096)) }
}

@main enum Main {
    static func main() throws {
        guard CommandLine.arguments.count == 3, let port = UInt16(CommandLine.arguments[2]) else {
            fail("usage: SerialBridge DEVICE PORT (0: one that the system chooses)")
        }
        let path = CommandLine.arguments[1]
        let loop = try EventLoop.native()
        do throws(RunError<BridgeError>) {
            try loop.run(cancelledBy: .interrupt, .terminate) { loop async throws(BridgeError) in try await serve(path, port, on: loop) }
        } catch {
            switch error {
            case .interrupted(_, let report): say(report.isClean ? "goodbye" : "left behind: \(report)")
            case .failed(let error): fail("\(error)")
            case .signals(let error): fail("no signals: \(error)")
            }
        }
    }
}

/// Prints a line at once, also into a pipe.
func say(_ line: String) {
    print(line)
    fflush(nil)
}

func fail(_ sentence: String) -> Never {
    say(sentence)
    exit(1)
}
