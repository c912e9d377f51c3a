# Removes the files of the last install, then the folders it left empty that
# bear the project's name.
if(NOT EXISTS ${MANIFEST})
    message(FATAL_ERROR "nothing is installed from this build tree")
endif()

file(STRINGS ${MANIFEST} installed)
foreach(path IN LISTS installed)
    message(STATUS "Removing $ENV{DESTDIR}${path}")
    file(REMOVE "$ENV{DESTDIR}${path}")
    cmake_path(GET path PARENT_PATH folder)
    cmake_path(GET folder FILENAME name)
    file(GLOB left "$ENV{DESTDIR}${folder}/*")
    if(name STREQUAL quoll AND NOT left)
        file(REMOVE_RECURSE "$ENV{DESTDIR}${folder}")
    endif()
endforeach()
file(REMOVE ${MANIFEST})
