import Foundation

/// The repository as this test sees it: every text file, read once.
struct SourceTree: Sendable {
    let root: String
    let files: [SourceFile]

    static let repository = SourceTree(root: rootOfRepository())

    init(root: String) {
        self.root = root
        files = Self.paths(below: "", of: root).sorted().compactMap { path in
            FileManager.default.contents(atPath: root + "/" + path).map { SourceFile(path: path, bytes: Array($0)) }
        }
    }

    func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root + "/" + path)
    }

    func file(_ path: String) -> SourceFile? {
        files.first { $0.path == path }
    }

    /// The names of the files directly in a folder; none where there is no such folder.
    func names(in folder: String) -> [String] {
        files.filter { $0.path.hasPrefix(folder + "/") }.map { String($0.path.dropFirst(folder.count + 1)) }.filter { !$0.contains("/") }
    }

    private static func rootOfRepository(of file: String = #filePath) -> String {
        var root = URL(fileURLWithPath: file)
        for _ in ["SourceTree.swift", "Support", "RepositoryTests", "Tests"] { root.deleteLastPathComponent() }
        return root.path
    }

    private static func paths(below folder: String, of root: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root + "/" + folder)) ?? []
        return names.flatMap { name -> [String] in
            let path = folder.isEmpty ? name : folder + "/" + name
            if isFolder(root + "/" + path) { return isOurs(name) ? paths(below: path, of: root) : [] }
            return isText(path) ? [path] : []
        }
    }

    /// Not a link: those could lead out of the tree.
    private static func isFolder(_ path: String) -> Bool {
        (try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType) == .typeDirectory
    }

    /// Build products and the version control's own files live in hidden folders.
    private static func isOurs(_ folder: String) -> Bool {
        !folder.hasPrefix(".") || folder == ".ci" || folder == ".github"
    }

    private static func isText(_ path: String) -> Bool {
        let isScript = [".ci/", "scripts/"].contains { path.hasPrefix($0) } && !path.dropFirst().contains(".")
        return isScript || [".swift", ".c", ".cpp", ".h", ".modulemap", ".md", ".sh", ".yml"].contains { path.hasSuffix($0) }
    }
}
