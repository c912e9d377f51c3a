# Removes the files of the last install, then what that left empty of the
# folders that bear the project's name.
if(NOT EXISTS ${MANIFEST})
    message(FATAL_ERROR "nothing is installed from this build tree")
endif()

file(STRINGS ${MANIFEST} installed)
foreach(path IN LISTS installed)
    message(STATUS "Removing $ENV{DESTDIR}${path}")
    file(REMOVE "$ENV{DESTDIR}${path}")
    cmake_path(GET path PARENT_PATH folder)
    set(refused 0)
    while(refused EQUAL 0 AND folder MATCHES
        "/(lua/5\\.1|cmake|share|share/doc)/quoll(/|$)")
        execute_process(COMMAND rmdir "$ENV{DESTDIR}${folder}"
            RESULT_VARIABLE refused ERROR_QUIET)
        cmake_path(GET folder PARENT_PATH folder)
    endwhile()
endforeach()
file(REMOVE ${MANIFEST})
