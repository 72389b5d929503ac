import Glibc
import Portloop
import SerialOps

/// A serial client, as the floor and the peers are: `rtt ROUNDS PATH...`, `cycle ROUNDS PATH`, `sink BYTES PATH`.
func runSerial(_ arguments: [String]) {
    guard arguments.count >= 3, let count = Int(arguments[1]) else {
        trap("usage: PortloopBench serial rtt ROUNDS PATH... | cycle ROUNDS PATH | close ROUNDS PATH | sink BYTES PATH")
    }
    let (verb, paths) = (arguments[0], arguments.dropFirst(2).map { SerialText($0) })
    let loop = makeLoop()
    let line = loop.run { loop async -> String in
        do throws(SerialError) {
            return switch verb {
            case "rtt": try await roundTrips(count, paths, loop)
            case "cycle": try await cycles(count, paths[0], loop)
            case "close": try await closes(count, paths[0], loop)
            default: try await sink(count, paths[0], loop)
            }
        } catch {
            trap("\(verb): \(error)")
        }
    }
    print(line)
    loop.shutdown()
}

private func roundTrips(_ rounds: Int, _ paths: [SerialText], _ loop: isolated EventLoop) async throws(SerialError) -> String {
    var ports: [SerialPort] = []
    for path in paths { ports.append(try await SerialPort.open(path, on: loop)) }
    let stopwatch = Stopwatch()
    let fibers = ports.map { port in
        loop.spawn { _ async in await port.trips(rounds) }
    }
    for fiber in fibers { await fiber.value }
    let line = stopwatch.report("round_trips", rounds * ports.count)
    for port in ports { await port.close() }
    return line
}

extension SerialPort {
    fileprivate func trips(_ rounds: Int) async {
        let byte: [UInt8] = [0x78]
        for _ in 0..<rounds {
            do throws(SerialError) {
                try await write(byte)
                let count = try await read { bytes, taken in
                    taken = bytes.byteCount
                    return taken
                }
                guard count == 1 else { trap("a round trip brought \(count) bytes") }
            } catch {
                trap("a round trip failed: \(error)")
            }
        }
    }

    fileprivate func drink(_ total: Int) async throws(SerialError) {
        var left = total
        while left > 0 {
            left -= try await read { bytes, taken in
                taken = bytes.byteCount
                return taken
            }
        }
    }
}

private func cycles(_ rounds: Int, _ path: SerialText, _ loop: isolated EventLoop) async throws(SerialError) -> String {
    let stopwatch = Stopwatch()
    for _ in 0..<rounds { await (try await SerialPort.open(path, on: loop)).close() }
    return stopwatch.report("cycles", rounds)
}

/// How long a close takes while a read is pending: from the call to the moment when both have returned.
private func closes(_ rounds: Int, _ path: SerialText, _ loop: isolated EventLoop) async throws(SerialError) -> String {
    var times: [UInt64] = []
    for _ in 0..<rounds {
        let port = try await SerialPort.open(path, on: loop)
        let reader = loop.spawn { _ async in
            do throws(SerialError) { _ = try await port.read() } catch { return error == .closed }
            return false
        }
        await Task.yield()
        let began = loop.now
        await port.close()
        guard await reader.value else { trap("a read was not ended by the close") }
        times.append(loop.now.nanoseconds(since: began))
    }
    times.sort()
    return "closes=\(rounds) p50_ns=\(times[rounds / 2]) p99_ns=\(times[rounds * 99 / 100]) max_ns=\(times[rounds - 1])"
}

private func sink(_ total: Int, _ path: SerialText, _ loop: isolated EventLoop) async throws(SerialError) -> String {
    let port = try await SerialPort.open(path, on: loop)
    let stopwatch = Stopwatch()
    try await port.drink(total)
    let line = stopwatch.report("bytes", total)
    await port.close()
    return line
}

/// Time by the wall and by the processor since it was made.
private struct Stopwatch {
    private let wall = Stopwatch.now(CLOCK_MONOTONIC)
    private let processor = Stopwatch.now(CLOCK_PROCESS_CPUTIME_ID)

    func report(_ what: String, _ count: Int) -> String {
        let took = Double(Stopwatch.now(CLOCK_MONOTONIC) - wall) / Double(count)
        let cpu = Double(Stopwatch.now(CLOCK_PROCESS_CPUTIME_ID) - processor) / Double(count)
        return "\(what)=\(count) ns_each=\(took) cpu_ns_each=\(cpu)"
    }

    // SAFETY: the structure is this call's.
    private static func now(_ clock: clockid_t) -> Int {
        var time = timespec()
        unsafe clock_gettime(clock, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
