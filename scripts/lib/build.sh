# How every build of the package is made, so that no script undoes another's work: sourced by the scripts that build.
# Planned anew each time: the plan that SwiftPM keeps is that of the package that was built last in the folder, be it another one (seen: a build
# of an example was complete, and had built nothing).
build_flags=(--disable-build-manifest-caching --explicit-target-dependency-import-check error -Xswiftc -warnings-as-errors -Xcc -Werror)
