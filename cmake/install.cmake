# Headers and libraries, the Lua modules where luajit looks for them, and the
# pkg-config file and CMake package that extensions are built with.
include(CMakePackageConfigHelpers)

install(DIRECTORY lua/quoll DESTINATION ${QL_LUA_DESTINATION} COMPONENT lua
    FILES_MATCHING PATTERN "*.lua")
if(QL_ROCK)
    foreach(library quoll quoll-lua)
        install(FILES $<TARGET_FILE:${library}>
            RENAME $<TARGET_SONAME_FILE_NAME:${library}>
            DESTINATION ${QL_MODULE_DESTINATION}/quoll)
    endforeach()
    return()
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/quoll)
set_target_properties(quoll-lua PROPERTIES EXPORT_NAME lua)
set_target_properties(quoll_static PROPERTIES EXPORT_NAME static)

install(TARGETS quoll quoll-lua quoll_static EXPORT quollTargets
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        COMPONENT library NAMELINK_COMPONENT dev
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT dev)
install(FILES runtime/quoll.h bindings/quoll_lua.h
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev)

# What `make docs` has made.
install(DIRECTORY ${QL_BUILT}/luacats DESTINATION share/quoll
    COMPONENT lua OPTIONAL)
install(DIRECTORY ${QL_BUILT}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}
    COMPONENT lua OPTIONAL)
install(DIRECTORY ${QL_BUILT}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/html
    COMPONENT lua OPTIONAL)

install(EXPORT quollTargets NAMESPACE quoll:: DESTINATION ${package_dir}
    COMPONENT dev)
configure_package_config_file(cmake/quollConfig.cmake.in
    ${PROJECT_BINARY_DIR}/quollConfig.cmake
    INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(
    ${PROJECT_BINARY_DIR}/quollConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
install(FILES
    ${PROJECT_BINARY_DIR}/quollConfig.cmake
    ${PROJECT_BINARY_DIR}/quollConfigVersion.cmake
    cmake/quollModule.cmake
    DESTINATION ${package_dir} COMPONENT dev)

# The build tree is a package too: -Dquoll_DIR=<the build tree>.
export(EXPORT quollTargets NAMESPACE quoll::
    FILE ${PROJECT_BINARY_DIR}/quollTargets.cmake)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/quollBuild.cmake CONTENT
    [[set(QUOLL_LUA_PATH @PROJECT_SOURCE_DIR@/lua)
set(QUOLL_LUA_CPATH @PROJECT_BINARY_DIR@/lib/lua/5.1)
]] @ONLY)
configure_file(cmake/quollModule.cmake
    ${PROJECT_BINARY_DIR}/quollModule.cmake COPYONLY)

# The .pc files find their prefix from their own place: "../.." for
# lib/pkgconfig.
set(pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
string(REGEX REPLACE "[^/]+" ".." QL_PC_UP ${pc_dir})
foreach(name quoll libquoll)
    configure_file(cmake/${name}.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${pc_dir}
        COMPONENT dev)
endforeach()

add_custom_target(uninstall
    COMMAND ${CMAKE_COMMAND}
        -DMANIFEST=${PROJECT_BINARY_DIR}/install_manifest.txt
        -P ${PROJECT_SOURCE_DIR}/cmake/uninstall.cmake
    VERBATIM)
