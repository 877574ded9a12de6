#!/bin/sh
# CPython's own tests, as they would be installed: the package test, and the extension modules that it tests with, as
# shared objects. oxcross builds CPython without them. Run as a step of oxcross (see suite.py): ROOT, IN, OUT, JOBS.
set -eu
umask 022
export PATH="$IN/toolchain/bin:$PATH"
mkdir -p "$OUT/site"
tar -xf "$IN/cpython" --strip-components=1 --wildcards '*/Lib/test/*' '*/Modules/*' '*/Parser/*' '*/Python/*' '*/LICENSE'
cp -R Lib/test "$OUT/site/"
cp LICENSE "$OUT/"
# CPython was configured without the test modules; here they are added.
sed -i 's/^TEST_MODULES_ENABLED = .*/TEST_MODULES_ENABLED = True/' "$OUT/site/test/support/__init__.py"

# The list of modules and of their files is CPython's own: the last part of Setup.stdlib.
sed -n '/^# Test modules/,$s/^@[^@]*@//p' Modules/Setup.stdlib.in >modules.txt
includes=$(echo "$IN"/python/include/python3.*)
suffix=$(sed -n 's/.*"soabi": "\(.*\)".*/\1/p' "$IN/python/link.json").so
while read -r name files; do
    set --
    for file in $files; do set -- "$@" "Modules/$file"; done
    printf '%s\0' "$*" | sed "s|^|$OUT/site/$name.$suffix |"
done <modules.txt >jobs.txt
cat >compile <<EOS
#!/bin/sh
set -eu
output=\$1
shift
exec x86_64-linux-gnu-cc -shared -fPIC -g0 -O1 -fwrapv -fno-strict-aliasing -w \\
    -I$includes -I$includes/internal -IModules -I. "\$@" -lm -o "\$output"
EOS
chmod +x compile
xargs -0 -P "$JOBS" -I{} sh -c './compile {}' <jobs.txt
