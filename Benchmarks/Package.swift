// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "portloop-benchmarks",
    dependencies: [.package(name: "portloop", path: "..")],
    targets: [
        .target(name: "CBench"),
        .executableTarget(
            name: "PortloopBench",
            dependencies: [
                "CBench",
                .product(name: "Portloop", package: "portloop"), .product(name: "LoopEpoll", package: "portloop"),
                .product(name: "SerialOps", package: "portloop"), .product(name: "SocketOps", package: "portloop"),
            ],
            swiftSettings: strict),
        .executableTarget(name: "Compare", swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
