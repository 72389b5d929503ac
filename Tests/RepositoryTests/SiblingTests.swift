import Testing

/// Folders that answer the same questions for two platforms.
private struct Siblings {
    let linux: String
    let windows: String
    /// Only files that start so need a sibling.
    let prefixes: (linux: String, windows: String)
}

private let siblings = [
    Siblings(linux: "Sources/LoopEpoll", windows: "Sources/LoopWin32", prefixes: ("EpollPort", "Win32Port")),
    Siblings(linux: "Sources/LoopEpoll/System", windows: "Sources/LoopWin32/System", prefixes: ("Epoll", "Win32")),
    Siblings(linux: "Sources/SerialOps/Linux", windows: "Sources/SerialOps/Windows", prefixes: ("Linux", "Windows")),
    Siblings(linux: "Sources/SocketOps/Linux", windows: "Sources/SocketOps/Windows", prefixes: ("Linux", "Windows")),
]

/// The themes (`+Wait`) that one folder has and the other has not.
private func unmatched(_ linux: [String], _ windows: [String], prefixes: (linux: String, windows: String)) -> [String] {
    let ours = Set(themes(of: linux, prefix: prefixes.linux))
    let theirs = Set(themes(of: windows, prefix: prefixes.windows))
    return ours.subtracting(theirs).map { prefixes.windows + $0 }.sorted() + theirs.subtracting(ours).map { prefixes.linux + $0 }.sorted()
}

private func themes(of names: [String], prefix: String) -> [String] {
    names.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
}

@Suite("Sibling folders") struct SiblingTests {
    @Test("The folders of two platforms have the same file names") func matching() {
        let tree = SourceTree.repository
        for pair in siblings {
            let (linux, windows) = (tree.names(in: pair.linux), tree.names(in: pair.windows))
            guard !linux.isEmpty, !windows.isEmpty else { continue }
            let missing = unmatched(linux, windows, prefixes: pair.prefixes)
            #expect(missing.isEmpty, "missing beside \(pair.linux) and \(pair.windows): \(missing)")
        }
    }

    @Test("A theme that one platform lacks is found") func matchingSample() {
        let linux = ["EpollPort.swift", "EpollPort+Wait.swift", "EpollPort+Poll.swift", "ParkingLot.swift"]
        let windows = ["Win32Port.swift", "Win32Port+Wait.swift", "Win32Port+Accept.swift"]
        let missing = unmatched(linux, windows, prefixes: ("EpollPort", "Win32Port"))
        #expect(missing == ["Win32Port+Poll.swift", "EpollPort+Accept.swift"])
    }
}
