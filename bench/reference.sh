#!/bin/sh
# CPython as its own developers make it fast on this machine: gcc, --enable-optimizations, --with-lto, all else as
# configure has it. Its extension modules are built in, with the libraries that executables have, so that the
# interpreter alone makes the difference. Run as a step of oxcross (see reference.py): ROOT, IN, OUT, JOBS.
set -eu
umask 022
tar -xf "$IN/cpython" --strip-components=1
export PKG_CONFIG=/bin/false CC=gcc CXX=g++
library() { # VARIABLE FOLDER LIBRARY...
    name=$1 folder=$IN/$2
    shift 2
    export "${name}_CFLAGS=-I$folder/include" "${name}_LIBS=-L$folder/lib $*"
}
library ZLIB zlib -lz
library BZIP2 bzip2 -lbz2
library LIBLZMA xz -llzma
library LIBFFI libffi -lffi
library LIBSQLITE3 sqlite -lsqlite3 -lm -ldl -lpthread
library LIBUUID libuuid -luuid
export LIBUUID_CFLAGS="-I$IN/libuuid/include -I$IN/libuuid/include/uuid"
library CURSES ncurses -lncursesw
library PANEL ncurses -lpanelw -lncursesw
library LIBEDIT libedit -ledit -L"$IN/ncurses/lib" -lncursesw
./configure --enable-optimizations --with-lto --disable-test-modules --without-ensurepip --with-readline=editline \
    --with-openssl="$IN/openssl" --with-dbmliborder= MODULE_BUILDTYPE=static \
    py_cv_module__tkinter=n/a py_cv_module__gdbm=n/a py_cv_module__dbm=n/a
make -j"$JOBS"

minor=$(sed -n 's,^VERSION=[[:space:]]*,,p' Makefile)
home=$OUT/lib/python$minor
mkdir -p "$OUT/bin" "$home/lib-dynload"
cp python "$OUT/bin/python$minor"
cp -R Lib/. "$home/"
cp "$(cat pybuilddir.txt)"/_sysconfigdata_*.py "$home/"
rm -rf "$home/test"
find "$home" -name __pycache__ -type d -prune -exec rm -r {} +
echo 'Every extension module is built in; this folder tells python where its prefix is.' >"$home/lib-dynload/README"
"$OUT/bin/python$minor" -IB -c 'import _ctypes, _decimal, _hashlib, _sqlite3, _ssl, pyexpat, zlib'
