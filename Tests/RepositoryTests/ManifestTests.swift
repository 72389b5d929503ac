import Testing

private let manifest = Scope(folders: ["Package.swift"])

private let noDependencies = Rule.forbids(".package(", in: manifest, because: "Portloop depends on nothing")

/// So that a check of the public interface sees every module. C shims are no one's interface.
private let everyLibraryIsAProduct = Rule(manifest) { file in
    let text = String(decoding: file.bytes, as: UTF8.self)
    let products = text.matches(of: /\.(?:library|executable)\([^\[]*\[([^\]]*)\]/).flatMap { quotedWords(in: $0.output.1) }
    let targets = text.matches(of: /\.target\(\s*name: "(\w+)"/).map { String($0.output.1) }
    return Set(targets).subtracting(products).filter { !isShim($0) }.sorted().map {
        Offence(path: file.path, line: 1, complaint: "\($0) is in no product")
    }
}

private func quotedWords(in text: Substring) -> [String] {
    text.matches(of: /"(\w+)"/).map { String($0.output.1) }
}

private func isShim(_ module: String) -> Bool {
    module.first == "C" && module.dropFirst().first?.isUppercase == true
}

@Suite("The manifest") struct ManifestTests {
    @Test("The package has no dependencies") func dependencies() {
        noDependencies.holds()
    }

    @Test("A dependency is found") func dependenciesSample() {
        #expect(noDependencies.caught("Package.swift", "dependencies: [\n    .package(url: \"\", from: \"1.0.0\")\n]\n") == [2])
    }

    @Test("Every Swift library target is in a product") func products() {
        #expect(SourceTree.repository.exists("Package.swift"))
        everyLibraryIsAProduct.holds()
    }

    @Test("A library target in no product is found") func productsSample() {
        let sample = """
            products: [.library(name: "A", targets: ["A"])],
            targets: [.target(name: "A"), .target(name: "CShim"), .target(
                name: "B", dependencies: ["A"])]
            """
        let offences = everyLibraryIsAProduct.offences(in: SourceFile(path: "Package.swift", text: sample))
        #expect(offences.map(\.complaint) == ["B is in no product"])
    }
}
