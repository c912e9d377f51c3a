# Debian packages, each made of one component of the install rules: the shared
# libraries, the Lua modules, and what extensions are built with. cpack finds the
# other packages' libraries they need (shlibdeps).
set(deb_library libquoll${QL_ABI})
set(deb_lua lua-quoll)
set(deb_dev libquoll-dev)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME quoll)
set(QL_DEBIAN_MAINTAINER "The quoll authors <quoll@localhost>" CACHE STRING
    "Who answers for the packages")
set(CPACK_PACKAGE_CONTACT "${QL_DEBIAN_MAINTAINER}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE
    GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL library lua dev)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${QL_BUILT}/lib)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON)

# The libraries for who links them, and the linker's cache.
set(deb_control ${PROJECT_BINARY_DIR}/debian)
file(WRITE ${deb_control}/shlibs
    "libquoll ${QL_ABI} ${deb_library} (>= ${PROJECT_VERSION})
libquoll-lua ${QL_ABI} ${deb_library} (>= ${PROJECT_VERSION})
")
file(WRITE ${deb_control}/triggers "activate-noawait ldconfig\n")

string(REGEX REPLACE "^A " "" CPACK_PACKAGE_DESCRIPTION_SUMMARY
    ${PROJECT_DESCRIPTION})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME ${deb_library})
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA
    ${deb_control}/shlibs ${deb_control}/triggers)
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "The libraries: the event loop (libquoll), and
what Lua modules on top of it share (libquoll-lua).")

set(CPACK_DEBIAN_LUA_PACKAGE_NAME ${deb_lua})
set(CPACK_DEBIAN_LUA_PACKAGE_SECTION interpreters)
set(CPACK_DEBIAN_LUA_PACKAGE_DEPENDS luajit)
set(CPACK_DEBIAN_LUA_PACKAGE_RECOMMENDS "lua-cjson, lua-zlib")
set(CPACK_COMPONENT_LUA_DEPENDS library)
set(CPACK_COMPONENT_LUA_DESCRIPTION "Coroutines that wait for sockets, timers, files
and processes, with TLS, DNS, HTTP and WebSockets. Scripts run with plain
luajit.")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME ${deb_dev})
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "libluajit-5.1-dev, libaio-dev")
set(CPACK_COMPONENT_DEV_DEPENDS library)
set(CPACK_COMPONENT_DEV_DESCRIPTION "For extensions in C: headers, the static library,
the pkg-config file and the CMake package.")

# What each package says of itself: copyright, and its changes in Debian's form.
string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
set(changelog ${PROJECT_BINARY_DIR}/changelog.Debian)
file(WRITE ${changelog} "quoll (${PROJECT_VERSION}-1) unstable; urgency=low

  * Version ${PROJECT_VERSION}.

 -- ${CPACK_PACKAGE_CONTACT}  ${now}
")
execute_process(COMMAND gzip -9nf ${changelog} COMMAND_ERROR_IS_FATAL ANY)
foreach(component library lua dev)
    install(FILES LICENSE RENAME copyright COMPONENT ${component}
        DESTINATION share/doc/${deb_${component}})
    install(FILES ${changelog}.gz COMPONENT ${component}
        DESTINATION share/doc/${deb_${component}})
endforeach()

install(CODE [[
    file(GLOB pages
        $ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/share/man/man?/quoll.?)
    foreach(page IN LISTS pages)
        execute_process(COMMAND gzip -9nf ${page} COMMAND_ERROR_IS_FATAL ANY)
    endforeach()
    list(TRANSFORM CMAKE_INSTALL_MANIFEST_FILES
        REPLACE "(/man/man./quoll[.].)$" "\\1.gz")
]] COMPONENT lua)

# The static library without what only this compiler, or a debugger, reads.
install(CODE "execute_process(COMMAND ${CMAKE_STRIP} --strip-debug
    --enable-deterministic-archives
    --remove-section=.gnu.lto_* --remove-section=.gnu.debuglto_*
    \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/libquoll.a
    COMMAND_ERROR_IS_FATAL ANY)" COMPONENT dev)

# The libraries lie where the linker looks.
install(CODE "set(place
    \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR})" CODE [[
    file(GLOB libraries ${place}/libquoll*.so.*)
    file(GLOB_RECURSE modules ${place}/lua/5.1/quoll/*.so)
    foreach(path IN LISTS libraries modules)
        file(RPATH_REMOVE FILE ${path})
    endforeach()
]] ALL_COMPONENTS)

include(CPack)
