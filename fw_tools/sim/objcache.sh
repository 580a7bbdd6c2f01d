#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compile cache for Verilator's make (its OBJCACHE): objcache.sh COMPILER ARGUMENT...
#
# A shell script, because it starts for every object and a Python would cost more than some objects.
# An object is keyed by command line, FW_OBJCACHE_IDENTITY (compiler, run-time sources; computed
# once by the caller) and, for generated sources, by every generated file of the build folder.
# Sources that are neither are compiled as if this script were not there: what they include is
# unknown. Whatever goes wrong with the cache, the object is compiled.
#
# FW_OBJCACHE_FOLDER    where objects are kept
# FW_OBJCACHE_IDENTITY  digest of compiler and run-time sources
# FW_OBJCACHE_RUNTIME   VERILATOR_ROOT, replaced in the key so that two installations share
# FW_OBJCACHE_PREFIX    of generated files, as in Vtop
# FW_OBJCACHE_MAIN      folder of the main program; what lies in folders below it includes only headers
#                       beside it
# FW_OBJCACHE_HEADER    header to precompile for generated sources, or nothing
# FW_OBJCACHE_LOG       gets one line per object: "hit NAME" or "miss NAME"

command -v sha256sum >/dev/null || exec "$@"

source='' object='' previous='' header=$FW_OBJCACHE_HEADER
for word; do
    case $word in *.cpp) source=$word ;; esac
    [ "$previous" = -o ] && object=$word
    previous=$word
done
name=${source##*/}
[ -n "$object" ] || object=${name%.cpp}.o

# A large model is compiled file by file, and make wants a precompiled header of that model for it.
# Ours serves instead (see `verilator.py`); making two of theirs would take longer than they save.
case $object in *.gch) : >"$object" && exit ;; esac

digest() {
    { printf '%s\n' "$FW_OBJCACHE_IDENTITY" "$@" | sed "s|$FW_OBJCACHE_RUNTIME|@|g"; cat; } |
        sha256sum | cut -c1-64
}

# Run a command while holding the lock of a cache entry: who comes second finds it made.
# The lock file stays: others may wait on it, and who comes later has to wait with them.
locked() {
    lock=$1
    shift
    if command -v flock >/dev/null && exec 9>"$lock"; then flock 9; fi
    "$@"
    status=$?
    exec 9>&-
    return $status
}

# Print whatever goes into the object of a generated source or of the main program.
what_it_reads() {
    case $source in
    "$FW_OBJCACHE_PREFIX"*) cat "$FW_OBJCACHE_PREFIX"*.h "$FW_OBJCACHE_PREFIX"*.cpp ;;
    "$FW_OBJCACHE_MAIN"/*/*) cat "${source%/*}"/*.h "$source" ;; # Knows nothing of the model.
    *)
        cat "$FW_OBJCACHE_PREFIX".h "$source"
        for included in "$FW_OBJCACHE_MAIN"/*.h "$FW_OBJCACHE_MAIN"/*/*.h; do
            [ ! -f "$included" ] || cat "$included"
        done
        # Of the model's own header only who looks into it has to know.
        ! grep -qs ___024root.h "$FW_OBJCACHE_MAIN"/*.h || cat "$FW_OBJCACHE_PREFIX"*.h
        ;;
    esac
}

keep() { # keep FILE ENTRY: atomic, and harmless when it fails
    { cp "$1" "$2.$$" && mv "$2.$$" "$2"; } 2>/dev/null || rm -f "$2.$$"
}

fetch() { # fetch ENTRY: copy a cached object to where make wants it, and mark it as used
    [ -f "$1" ] && cp "$1" "$object.$$" 2>/dev/null && mv "$object.$$" "$object" && touch "$1" &&
        printf 'hit %s\n' "$object" >>"$FW_OBJCACHE_LOG"
}

compile() { # compile ENTRY COMMAND...
    entry=$1
    shift
    fetch "$entry" && return
    "$@" || return
    printf 'miss %s\n' "$object" >>"$FW_OBJCACHE_LOG"
    keep "$object" "$entry"
}

# Print the folder of the precompiled header for these flags; make it when it is not there.
# Left out: the order of -O, and VM_COVERAGE, of which no header knows (it would double 94 MB).
precompiled() {
    wanted=yes level=-O0
    for word; do
        shift
        case $word in -O*) level=$word ;; esac
        case $word in
        -o | -include) wanted=no ;;
        -c | -MMD | -O* | -DVM_COVERAGE=* | "$source") ;;
        *) [ $wanted = yes ] && set -- "$@" "$word"; wanted=yes ;;
        esac
    done
    set -- "$@" "$level"
    folder=$FW_OBJCACHE_FOLDER/$(digest "$@" <"$FW_OBJCACHE_HEADER").pch
    [ -d "$folder" ] || locked "$folder.lock" precompile "$folder" "$@"
    [ -d "$folder" ] && touch "$folder" && printf '%s' "$folder"
}

precompile() {
    [ -d "$1" ] && return
    draft=$1.$$ final=$1 header=${FW_OBJCACHE_HEADER##*/}
    shift
    mkdir -p "$draft" && cp "$FW_OBJCACHE_HEADER" "$draft/$header" &&
        "$@" -x c++-header "$draft/$header" -o "$draft/$header.gch" >&2 &&
        mv "$draft" "$final"
    rm -rf "$draft"
}

# Verilator writes the names of all signals as one long function. For that of a whole payload GCC
# takes over ten minutes at -O1, and 3 s at -O0; it runs once.
case $source in
"$FW_OBJCACHE_PREFIX"__Syms__ctor*)
    if [ "$(wc -c <"$source")" -gt 100000 ]; then
        set -- "$@" -O0
        header='' # Precompiled at another level.
    fi
    ;;
esac

mkdir -p "$FW_OBJCACHE_FOLDER" || exec "$@"
case $source in
"$FW_OBJCACHE_RUNTIME"/*)
    entry=$FW_OBJCACHE_FOLDER/$(digest "$@" </dev/null).o
    fetch "$entry" || locked "$entry.lock" compile "$entry" "$@"
    ;;
"$FW_OBJCACHE_MAIN"/* | "$FW_OBJCACHE_PREFIX"*)
    entry=$FW_OBJCACHE_FOLDER/$(what_it_reads | digest "$@").o
    if ! fetch "$entry"; then
        folder=''
        [ -n "$header" ] && folder=$(precompiled "$@")
        compiler=$1 header=$folder/${FW_OBJCACHE_HEADER##*/}
        shift
        if [ -z "$folder" ]; then
            compile "$entry" "$compiler" "$@"
        elif ! compile "$entry" "$compiler" -include "$header" "$@"; then
            [ -f "$header" ] && exit 1        # An error of the source, already told.
            compile "$entry" "$compiler" "$@" # Another process has just evicted the header.
        fi
    fi
    ;;
*) exec "$@" ;;
esac
