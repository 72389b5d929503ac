// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "ReadMe",
    dependencies: [.package(name: "portloop", path: "../..")],
    targets: [
        .executableTarget(
            name: "ReadMe",
            dependencies: [.product(name: "Portloop", package: "portloop")],
            swiftSettings: [.treatAllWarnings(as: .error), .enableUpcomingFeature("NonisolatedNonsendingByDefault")])
    ],
    swiftLanguageModes: [.v6]
)
