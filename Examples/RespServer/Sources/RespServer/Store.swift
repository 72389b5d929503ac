import Portloop

/// The keys and their values, and what each command comes to. An actor of the loop: commands of all connections come one at a time.
actor Store: OnLoop {
    static let bytesMax = 256 << 20

    nonisolated let loop: EventLoop
    private var values: [[UInt8]: [UInt8]] = [:]
    private var bytes = 0

    init(on loop: EventLoop) { self.loop = loop }

    func reply(to command: [[UInt8]]) -> [UInt8] {
        switch (String(decoding: command[0], as: UTF8.self).uppercased(), command.count) {
        case ("PING", 1): simple("PONG")
        case ("PING", 2), ("ECHO", 2): string(command[1])
        case ("SET", 3): set(command[1], command[2])
        case ("GET", 2): string(values[command[1]])
        case ("DEL", 2): number(values[command[1]] == nil ? 0 : remove(command[1]))
        case ("DBSIZE", 1): number(values.count)
        case ("QUIT", 1): simple("OK")
        // What clients ask for before they begin: the list of commands, and settings, of which there are none.
        case ("COMMAND", _): Array("*0\r\n".utf8)
        case ("CONFIG", 3): Array("*2\r\n".utf8) + string(command[2]) + string([])
        case (let name, _): failure("unknown command '\(name.prefix(20).filter { $0.isLetter })', or not so many arguments")
        }
    }

    private func set(_ key: [UInt8], _ value: [UInt8]) -> [UInt8] {
        let more = value.count - (values[key]?.count ?? -key.count)
        guard bytes + more <= Store.bytesMax else { return failure("no room for \(more) bytes more") }
        bytes += more
        values[key] = value
        return simple("OK")
    }

    private func remove(_ key: [UInt8]) -> Int {
        guard let value = values.removeValue(forKey: key) else { return 0 }
        bytes -= key.count + value.count
        return 1
    }
}

// How answers are written.

func simple(_ word: String) -> [UInt8] { Array("+\(word)\r\n".utf8) }

func failure(_ sentence: String) -> [UInt8] { Array("-ERR \(sentence)\r\n".utf8) }

func number(_ number: Int) -> [UInt8] { Array(":\(number)\r\n".utf8) }

func string(_ bytes: [UInt8]?) -> [UInt8] {
    guard let bytes else { return Array("$-1\r\n".utf8) }
    return Array("$\(bytes.count)\r\n".utf8) + bytes + [13, 10]
}
