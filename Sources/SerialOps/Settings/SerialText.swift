/// A text of the system's: the path of a port, the name of a maker. Its bytes are what the system said, UTF-8 wherever that is text.
///
/// It is bytes, because a path need not be text, and because an embedded image compares bytes and no Unicode.
public struct SerialText: Hashable, Sendable {
    /// Its bytes, without a NUL.
    public let bytes: [UInt8]

    /// The text with these bytes.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    /// The bytes of a string.
    public init(_ string: String) { bytes = [UInt8](string.utf8) }

    /// Whether it has no bytes.
    public var isEmpty: Bool { bytes.isEmpty }
}

extension SerialText: ExpressibleByStringInterpolation {
    public init(stringLiteral text: String) { bytes = [UInt8](text.utf8) }
}

extension SerialText: CustomStringConvertible {
    /// For people: what is not text is shown as �.
    public var description: String { String(decoding: bytes, as: UTF8.self) }
}
