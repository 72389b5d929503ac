// swift-tools-version: 6.2
import PackageDescription

// The last two are what Portloop's own adapters go by: a platform is a whole file, and no condition stands inside one.
let settings: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .define("PORTLOOP_LINUX", .when(platforms: [.linux])),
    .define("PORTLOOP_WINDOWS", .when(platforms: [.windows])),
]

let package = Package(
    name: "FileWatch",
    products: [
        .library(name: "FileWatch", targets: ["FileWatch"]),
        .executable(name: "filewatch", targets: ["FileWatchCLI"]),
    ],
    dependencies: [.package(name: "portloop", path: "../..")],
    targets: [
        .target(
            name: "FileWatch",
            dependencies: [
                .product(name: "LoopCore", package: "portloop"),
                .product(name: "CLoopWin32", package: "portloop", condition: .when(platforms: [.windows])),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "FileWatchCLI", dependencies: ["FileWatch", .product(name: "Portloop", package: "portloop")], swiftSettings: settings),
        .executableTarget(
            name: "FileWatchCheck", dependencies: ["FileWatch", .product(name: "Portloop", package: "portloop")], swiftSettings: settings),
        .testTarget(
            name: "FileWatchTests",
            dependencies: [
                "FileWatch", .product(name: "LoopCore", package: "portloop"), .product(name: "LoopSim", package: "portloop"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "GuideTests",
            dependencies: [.product(name: "LoopCore", package: "portloop"), .product(name: "LoopSim", package: "portloop")],
            swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)

// Its folder is Linux's. On Windows the same promises are kept by the suite in Tests/Wine/FileWatch.
if Context.environment["OS"] == "Windows_NT" { package.targets.removeAll { $0.name == "FileWatchCheck" } }
