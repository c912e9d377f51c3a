# What every target of the project is compiled and linked with.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Packages are made of what another build tree holds: nothing is compiled again.
set(QL_BUILT ${PROJECT_BINARY_DIR} CACHE PATH
    "The build tree whose files are installed")
if(NOT QL_BUILT STREQUAL PROJECT_BINARY_DIR)
    set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
endif()
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${QL_BUILT}/lib)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${QL_BUILT}/lib)

# The build tree has the layout of the install tree, so one relative path
# finds the libraries in both; in a rock they lie beside the modules.
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
set(CMAKE_INSTALL_RPATH "$ORIGIN")
set(QL_MODULE_DIR lua/5.1/quoll)
set(QL_MODULE_RPATH "$ORIGIN" "$ORIGIN/../../..")
option(QL_ROCK "Install what a rock holds: Lua files and modules" OFF)
if(NOT QL_ROCK)
    set(QL_LUA_DESTINATION share/lua/5.1)
    set(QL_MODULE_DESTINATION ${CMAKE_INSTALL_LIBDIR}/lua/5.1)
endif()

# Threads and handlers may outlive the Lua state that loaded the code.
set(CMAKE_SHARED_LINKER_FLAGS
    "${CMAKE_SHARED_LINKER_FLAGS} -Wl,-z,nodelete,--enable-new-dtags")
set(CMAKE_MODULE_LINKER_FLAGS
    "${CMAKE_MODULE_LINKER_FLAGS} -Wl,-z,nodelete,--enable-new-dtags")

# Misuse of the C interface ends the process of a debug build: core/check.h.
add_compile_definitions($<$<CONFIG:Debug>:QL_CHECKS>)

add_compile_options(
    -Wall -Wextra -Wshadow -Wmissing-prototypes -Wcast-qual
    $<$<BOOL:${QL_WERROR}>:-Werror>)

# The hot path crosses three libraries in small steps: calls without a PLT and
# inlining between files are worth 5 % of its instructions. Fat objects, so that
# the static library links without the same compiler.
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O3 -g -DNDEBUG")
add_compile_options(-fno-plt -fno-semantic-interposition
    "$<$<CONFIG:RelWithDebInfo,Release>:-flto=auto;-ffat-lto-objects>")
add_link_options("$<$<CONFIG:RelWithDebInfo,Release>:-flto=auto>")

# A struct is cleared by a call or by stores: the processor takes 20 ns to begin
# the `rep stos` that gcc would use for one of some hundred bytes.
include(CheckCCompilerFlag)
set(QL_CLEARING "-mmemset-strategy=libcall:-1:noalign")
check_c_compiler_flag("${QL_CLEARING}" QL_HAS_CLEARING)
if(QL_HAS_CLEARING)
    add_compile_options("${QL_CLEARING}")
    add_link_options("${QL_CLEARING}")
endif()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LUAJIT REQUIRED luajit)
find_path(AIO_INCLUDE_DIR libaio.h REQUIRED)
find_library(AIO_LIBRARY aio REQUIRED)

# Modules of their own, where their library is found.
pkg_check_modules(CARES IMPORTED_TARGET libcares>=1.18)
option(QL_DNS "Host names: the module quoll.core.dns, on c-ares"
    ${CARES_FOUND})
if(QL_DNS AND NOT CARES_FOUND)
    message(FATAL_ERROR "QL_DNS: c-ares (libc-ares-dev) was not found")
endif()
find_package(OpenSSL 3.0 QUIET)
option(QL_TLS "Build the module quoll.core.tls" ${OPENSSL_FOUND})
if(QL_TLS)
    find_package(OpenSSL 3.0 REQUIRED)
endif()
find_path(LLHTTP_SOURCE_DIR llhttp.c PATHS /usr/share/llhttp)
find_path(LLHTTP_INCLUDE_DIR llhttp.h PATHS /usr/share/include/llhttp)
if(LLHTTP_SOURCE_DIR AND LLHTTP_INCLUDE_DIR)
    set(LLHTTP_FOUND ON)
endif()
option(QL_HTTP "HTTP: the module quoll.core.http, on llhttp" ${LLHTTP_FOUND})
if(QL_HTTP AND NOT LLHTTP_FOUND)
    message(FATAL_ERROR "QL_HTTP: llhttp (node-llhttp) was not found")
endif()
include(CMakeDependentOption)
cmake_dependent_option(QL_HTTP_SSE42
    "llhttp looks at 16 bytes at once where the processor can" ON
    "CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64" OFF)

pkg_check_modules(NGHTTP2 IMPORTED_TARGET libnghttp2>=1.52)
option(QL_HTTP2 "HTTP/2: the module quoll.core.http2, on nghttp2"
    ${NGHTTP2_FOUND})
if(QL_HTTP2 AND NOT NGHTTP2_FOUND)
    message(FATAL_ERROR "QL_HTTP2: nghttp2 (libnghttp2-dev) was not found")
endif()

# A build with nothing to do says nothing.
set_property(GLOBAL PROPERTY TARGET_MESSAGES OFF)
