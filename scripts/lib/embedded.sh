# Building modules as Embedded Swift: sourced by the scripts that do, in the repository's root.

# The folder of the modules and their objects; the builders share it, and nothing that has not changed is built again.
embedded_out=.build/embedded

# The language is the manifest's: each upcoming feature it names, and no other.
mapfile -t embedded_features < <(sed -nE 's/.*enableUpcomingFeature\("([A-Za-z]+)"\).*/-enable-upcoming-feature\n\1/p' Package.swift)

# What every build of a module is held to, whatever it is built for.
embedded_language=(
    -enable-experimental-feature Embedded -wmo -parse-as-library -swift-version 6
    -Xcc -ffreestanding -strict-memory-safety -warnings-as-errors "${embedded_features[@]}" -package-name portloop
)

# x86_64-unknown-linux-gnu is the one x86-64 target whose embedded concurrency runtime comes with the toolchain.
embedded_flags=(
    "${embedded_language[@]}" -O -target x86_64-unknown-linux-gnu -Xfrontend -disable-stack-protector -I "$embedded_out"
)

# The first two are built first, because others import them, and no other of these; with `embedded_module_flags`, what each needs besides.
embedded_modules=(LoopCore StreamOps LoopSim LoopWin32 SerialOps SocketOps)

# The adapter of Examples/FileWatch is built as its author's package would build it: with the public interface and a shim.
embedded_module_flags() {
    case $1 in
        LoopWin32 | SerialOps | SocketOps) printf '%s\n' -D PORTLOOP_WINDOWS -I Sources/CLoopWin32/include ;;
        FileWatch) printf '%s\n' -D PORTLOOP_WINDOWS -I Sources/CLoopWin32/include -package-name FileWatch ;;
    esac
}

# embedded_build MODULE SOURCES FLAG...: one module and its object; SOURCES names an array.
embedded_build() {
    local module=$1 flags=("${embedded_flags[@]}" "${@:3}")
    local -n files=$2
    if [[ ${#files[@]} == 0 ]]; then
        echo "embedded $module: no sources" >&2
        return 1
    fi
    local print note=built
    print=$(embedded_print "${flags[@]}" "${files[@]}")
    if [[ -f $embedded_out/$module.o && -f $embedded_out/$module.print && $(<"$embedded_out/$module.print") == "$print" ]]; then
        note="as it was"
    else
        rm -f "$embedded_out/$module.print"
        swiftc "${flags[@]}" -module-name "$module" -emit-module -emit-module-path "$embedded_out/$module.swiftmodule" \
            -c "${files[@]}" -o "$embedded_out/$module.o" || return 1
        echo "$print" >"$embedded_out/$module.print"
    fi
    echo "embedded $module: ${#files[@]} files, $(stat -c %s "$embedded_out/$module.o") bytes of object code, $note"
}

# Tells a build from another one: the compiler, the flags, the sources, the headers it may include, and the modules it may import.
embedded_print() {
    local folder earlier
    {
        swiftc --version 2>/dev/null
        printf '%s\n' "$@"
        cat "${files[@]}"
        for folder in "$@"; do
            if [[ -f $folder/module.modulemap ]]; then cat "$folder"/*.{h,modulemap}; fi
        done
        for earlier in $(embedded_imports "$module"); do cat "$embedded_out/$earlier.print"; done
    } | sha256sum
}

embedded_imports() {
    case $1 in
        LoopCore) ;;
        StreamOps | LoopSim | LoopWin32 | FileWatch) echo LoopCore ;;
        SerialOps | SocketOps) echo LoopCore StreamOps ;;
        *) echo "${embedded_modules[@]}" FileWatch ;;
    esac
}

# embedded_build_modules [FileWatch]: the modules that an embedded image is made of. Those that no other imports are built side by side.
embedded_build_modules() {
    local module status=0
    local -A builders=()
    mkdir -p "$embedded_out"
    for module in "${embedded_modules[@]:0:2}"; do
        embedded_build_module "$module" || return 1
    done
    for module in "${embedded_modules[@]:2}" "$@"; do
        embedded_build_module "$module" >"$embedded_out/$module.log" 2>&1 &
        builders[$module]=$!
    done
    for module in "${embedded_modules[@]:2}" "$@"; do
        wait "${builders[$module]}" || status=1
        cat "$embedded_out/$module.log"
    done
    return "$status"
}

embedded_build_module() {
    local extra sources=(Sources/"$1"/**/*.swift)
    if [[ $1 == FileWatch ]]; then sources=(Examples/FileWatch/Sources/FileWatch/**/*.swift); fi
    mapfile -t extra < <(embedded_module_flags "$1")
    embedded_build "$1" sources "${extra[@]}"
}
