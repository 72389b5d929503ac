import Testing

/// Which modules a module under Sources may import. Arrows point to LoopCore, and LoopCore imports nothing of a platform.
private let importsAllowed: [String: Set<String>] = [
    "LoopCore": ["Swift", "_Concurrency", "Synchronization", "CLoopCore"],
    "LoopEpoll": ["LoopCore", "CLoopEpoll", "Glibc", "Synchronization"],
    "LoopWin32": ["LoopCore", "CLoopWin32", "Synchronization"],
    "LoopSim": ["LoopCore", "Synchronization"],
    "StreamOps": ["_Concurrency", "LoopCore"],
    "SerialOps": ["_Concurrency", "LoopCore", "StreamOps", "CSerialOps", "CLoopWin32", "Glibc", "Synchronization"],
    "SocketOps": ["_Concurrency", "LoopCore", "StreamOps", "CSocketOps", "CLoopWin32", "Glibc"],
    "Portloop": ["LoopCore", "LoopEpoll", "LoopWin32"],
    "PortloopCLI": ["Portloop", "SerialOps", "SocketOps", "CLoopEpoll", "Glibc", "Synchronization"],
]

private let importDirection = Rule(.sources) { file in
    let module = String(file.path.split(separator: "/")[1])
    let allowed = importsAllowed[module] ?? []
    return imports(in: file).filter { !allowed.contains($0.module) }.map {
        Offence(path: file.path, line: $0.line, complaint: "\(module) must not import \($0.module)")
    }
}

private let foundation = Rule(.sources) { file in
    imports(in: file).filter { $0.module.hasPrefix("Foundation") }.map {
        Offence(path: file.path, line: $0.line, complaint: "\($0.module) is not for what people embed")
    }
}

/// `public import struct LoopCore.Packet` imports LoopCore.
private func imports(in file: SourceFile) -> [(module: String, line: Int)] {
    file.declarations.filter { $0.head.keyword == "import" }.compactMap { declaration in
        let words = file.lines[declaration.lines.lowerBound - 1].code.split { $0 == " " || $0 == "." }
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "typealias", "func", "var", "let", "actor"]
        let module = words.drop { $0 != "import" }.dropFirst().first { !kinds.contains($0) }
        return module.map { (String($0), declaration.lines.lowerBound) }
    }
}

@Suite("Imports") struct ImportTests {
    @Test("A module under Sources imports only what its row of the table names") func direction() {
        importDirection.holds()
    }

    @Test("An import that is not in the table is found") func directionSample() {
        let sample = "import Synchronization\npublic import Glibc\n@_exported import LoopEpoll\ninternal import struct LoopSim.Seed\n"
        #expect(importDirection.caught("Sources/LoopCore/Sample.swift", sample) == [2, 3, 4])
        #expect(importDirection.caught("Sources/Portloop/Sample.swift", "@_exported public import LoopCore\n").isEmpty)
        #expect(importDirection.caught("Sources/NoRow/Sample.swift", "import LoopCore\n") == [1])
    }

    @Test("Nothing under Sources imports Foundation") func noFoundation() {
        foundation.holds()
    }

    @Test("An import of Foundation is found, one in a comment is not") func noFoundationSample() {
        let sample = "// import Foundation\nimport Foundation\nimport FoundationEssentials\n"
        #expect(foundation.caught("Sources/PortloopCLI/Sample.swift", sample) == [2, 3])
    }
}
