// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "SerialLine",
    dependencies: [.package(name: "portloop", path: "../..")],
    targets: [
        .executableTarget(
            name: "SerialLine",
            dependencies: [.product(name: "Portloop", package: "portloop"), .product(name: "SerialOps", package: "portloop")],
            swiftSettings: [.treatAllWarnings(as: .error), .enableUpcomingFeature("NonisolatedNonsendingByDefault")])
    ],
    swiftLanguageModes: [.v6]
)
