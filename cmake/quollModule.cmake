# quoll_add_module(NAME SOURCE...): the Lua module NAME, written in C. It never
# links libluajit (luajit carries its own), exports luaopen_NAME alone, and
# stays in memory until the process ends, since threads and handlers may outlive
# the Lua state that loaded it.
function(quoll_add_module name)
    add_library(${name} MODULE ${ARGN})
    target_compile_definitions(${name} PRIVATE _GNU_SOURCE)
    target_link_libraries(${name} PRIVATE quoll::lua)
    target_link_options(${name} PRIVATE
        -Wl,-z,nodelete,--enable-new-dtags)
    set_target_properties(${name} PROPERTIES
        PREFIX ""
        C_STANDARD 11
        C_VISIBILITY_PRESET hidden
        INSTALL_RPATH_USE_LINK_PATH ON)
endfunction()

# quoll_add_spec(SPEC): a test that runs this file with busted under luajit,
# where require finds this folder, what is built, and quoll.
function(quoll_add_spec spec)
    set(path "./?.lua;${QUOLL_LUA_PATH}/?.lua;${QUOLL_LUA_PATH}/?/init.lua;;")
    set(cpath "${CMAKE_CURRENT_BINARY_DIR}/?.so;${QUOLL_LUA_CPATH}/?.so;;")
    string(REPLACE ";" "\\;" path "${path}")
    string(REPLACE ";" "\\;" cpath "${cpath}")
    find_program(LUAJIT_PROGRAM luajit REQUIRED)
    find_program(BUSTED_PROGRAM busted REQUIRED)
    add_test(NAME ${spec}
        COMMAND ${LUAJIT_PROGRAM} ${BUSTED_PROGRAM} --ignore-lua ${spec}
        WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    set_tests_properties(${spec} PROPERTIES
        ENVIRONMENT "LUA_PATH=${path};LUA_CPATH=${cpath}")
endfunction()
