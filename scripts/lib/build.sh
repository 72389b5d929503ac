# How every build of the package is made, so that no script undoes another's work: sourced by the scripts that build.
build_flags=(--explicit-target-dependency-import-check error -Xswiftc -warnings-as-errors -Xcc -Werror)
