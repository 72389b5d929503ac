import Testing

/// Members whose meaning is their protocol's, and the initialiser that says nothing its type does not.
private let selfExplanatory: Set<String> = [
    "init()", "init(rawValue", "init(stringLiteral", "init(integerLiteral", "init(arrayLiteral",
    "rawValue", "==", "<", "hash", "description", "debugDescription", "errorDescription",
    "Element", "Failure", "AsyncIterator", "Iterator", "Instant", "Duration", "RawValue",
    "next", "makeAsyncIterator", "makeIterator",
    "unownedExecutor", "enqueue", "asUnownedSerialExecutor", "asUnownedTaskExecutor", "isSameExclusiveExecutionContext", "checkIsolated",
    "isIsolatingCurrentContext", "advanced", "duration", "now", "minimumResolution",
]

/// Requirements of the port contract: a port says nothing about them unless it differs, so only LoopCore documents them.
private let portRequirements: Set<String> = [
    "waker", "associate", "dissociate", "close", "classify", "cancel", "abortedCompletion", "post", "wait", "pollableHandle",
    "nextDeadline", "portMetrics", "system", "startWorker", "resolver",
    "watchProcess", "watchSignals", "read", "write", "receive", "send", "accept", "connect", "poll", "attempt", "wake", "currentThread",
    // And those of the contract suite's fixture.
    "name", "keepsBytesAtHangUp", "makeLoop", "makeStream", "makeDatagrams", "feed", "drain", "openHandles",
]
private let ports = ["Sources/LoopEpoll/", "Sources/LoopSim/", "Sources/LoopWin32/"]

private let documented = Rule(.sources) { file in
    let isPort = ports.contains { file.path.hasPrefix($0) }
    return file.declarations.filter {
        needsDocumentation($0) && !isDocumented($0, in: file) && !(isPort && portRequirements.contains($0.head.name))
    }.map {
        Offence(path: file.path, line: $0.lines.lowerBound, complaint: "public \($0.head.keyword) \($0.head.name) has no documentation")
    }
}

private func needsDocumentation(_ declaration: Declaration) -> Bool {
    guard declaration.isPublic, !["import", "extension", "case"].contains(declaration.head.keyword) else { return false }
    let isHidden = ["private", "fileprivate", "internal", "package"].contains { declaration.head.modifiers.contains($0) }
    guard declaration.head.isPublic || !isHidden, !declaration.head.modifiers.contains("override") else { return false }
    return !selfExplanatory.contains(declaration.head.name)
}

/// Attributes and plain comments may stand between the documentation and what it belongs to.
private func isDocumented(_ declaration: Declaration, in file: SourceFile) -> Bool {
    file.lines[..<(declaration.lines.lowerBound - 1)].reversed()
        .prefix { $0.isOnlyComment || $0.isOnlyAttribute }
        .contains(where: \.isDocumentation)
}

@Suite("Documentation comments") struct DocumentationTests {
    @Test("Each public declaration says what a reader could not guess") func publicDeclarations() {
        documented.holds()
    }

    @Test("A public declaration without documentation is found, a protocol's requirement too") func publicDeclarationsSample() {
        let sample = """
            public struct Bare {
                /// Is said.
                @inline(always)
                public var said: Int { 1 }
                public private(set) var unsaid: Int
                public init() {}
                public init(
                    _ other: Bare) {}
                public static func == (a: Bare, b: Bare) -> Bool { true }
                var ours = 1
            }
            /// Is said.
            public protocol Said {
                associatedtype Unsaid
                /// Is said.
                // SAFETY: and why.
                func said()
                func unsaid(
                    a: Int)
            }
            public extension Bare {
                func unsaid() {}
                private func ours() {}
            }
            """
        #expect(documented.caught("Sources/Sample.swift", sample) == [1, 5, 7, 14, 18, 22])
    }
}
