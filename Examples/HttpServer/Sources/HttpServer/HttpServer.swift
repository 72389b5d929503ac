import SocketOps

/// Answers one request after the other, however many come at once: up to one that says that it is the last, or one that is none.
func answer<Stream: ByteStream>(_ stream: Stream) async throws(Stream.Failure) {
    while true {
        guard let head = try await head(of: stream) else { return try await stream.write(reply("431 Request Header Fields Too Large")) }
        guard let request = Request(head) else { return try await stream.write(reply("400 Bad Request")) }
        guard request.length <= 1 << 20 else { return try await stream.write(reply("413 Content Too Large")) }
        let body = try await stream.readExactly(request.length, timeout: .seconds(30))
        let answer =
            switch (request.method, request.path) {
            case ("GET", "/"), ("HEAD", "/"): reply("200 OK", Array("hello\n".utf8), to: request)
            case ("POST", "/echo"): reply("200 OK", body, to: request)
            default: reply("404 Not Found", Array("not found\n".utf8), to: request)
            }
        try await stream.write(answer, timeout: .seconds(30))
        if request.isLast { return }
    }
}

/// What stands before a body, within half a minute; nil for what is too long.
func head<Stream: ByteStream>(of stream: Stream) async throws(Stream.Failure) -> [UInt8]? {
    do throws(Stream.Failure) {
        return try await stream.readUntil(Array("\r\n\r\n".utf8), limit: 8_192, timeout: .seconds(30))
    } catch {
        if error == .frameTooLong(limit: 8_192) { return nil }
        throw error
    }
}

func reply(_ status: String, _ body: [UInt8] = [], to request: Request? = nil) -> [UInt8] {
    let end = request?.isLast == false ? "\r\n" : "Connection: close\r\n\r\n"
    let head = Array("HTTP/1.1 \(status)\r\nContent-Type: text/plain\r\nContent-Length: \(body.count)\r\n\(end)".utf8)
    return request?.method == "HEAD" ? head : head + body
}

struct Request {
    let method, path: Substring
    let length: Int
    let isLast: Bool

    /// Nil for what is no request, or what two readers could take for two things: a length that is said twice, or in another way.
    init?(_ head: [UInt8]) {
        var lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")[...]
        let words = lines.popFirst()?.split(separator: " ", omittingEmptySubsequences: false) ?? []
        guard words.count == 3, words[1].first == "/", ["HTTP/1.0", "HTTP/1.1"].contains(words[2]) else { return nil }
        var fields: [String: String] = [:]
        for line in lines {
            let (name, value) = (line.prefix { $0 != ":" }.lowercased(), line.drop { $0 != ":" }.dropFirst())
            guard !name.isEmpty, name.count < line.count, !name.contains(where: \.isWhitespace), !value.contains(where: \.isNewline),
                fields.updateValue(value.split(separator: " ").joined(separator: " "), forKey: name) == nil || name != "content-length"
            else { return nil }
        }
        guard let length = Int(fields["content-length"] ?? "0"), length >= 0, fields["content-length"]?.first != "+",
            fields["transfer-encoding"] == nil, fields["host"] != nil || words[2] == "HTTP/1.0"
        else { return nil }
        (method, path, self.length) = (words[0], words[1], length)
        isLast = words[2] == "HTTP/1.0" || fields["connection"]?.lowercased().contains("close") == true
    }
}
