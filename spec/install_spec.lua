-- What `make install` and `make uninstall` do; this machine stays as it is.
local folders = require "spec.support.folders"
local helper = require "spec.helper"

local function shell(command)
    local pipe = assert(io.popen(command .. " 2>&1; echo $?"))
    local out, code = pipe:read("*a"):match "^(.-)(%d+)\n$"
    pipe:close()
    return out, tonumber(code)
end

-- What make would run.
local function planned(arguments)
    return (shell("env -u MAKEFLAGS -u MAKELEVEL make -n install "
        .. arguments))
end

local function write(path, text)
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
end

local function read(path)
    local file = assert(io.open(path))
    local text = file:read "*a"
    file:close()
    return text
end

describe("make install", function()
    for arguments, prefix in pairs { [""] = "/usr/local",
        ["prefix=/x"] = "/x", ["PREFIX=/x"] = "/x",
        ["PREFIX=/x prefix=/y"] = "/y" } do
        it("goes to " .. prefix .. " with '" .. arguments .. "'", function()
            assert.matches("--install build --prefix " .. prefix .. "\n",
                planned(arguments), 1, true)
        end)
    end
end)

describe("uninstall", function()
    local dir

    local function run()
        return shell("DESTDIR=" .. dir .. " cmake -DMANIFEST=" .. dir
            .. "/manifest -P cmake/uninstall.cmake")
    end

    local function left()
        return (shell("cd " .. dir .. " && find . -type f -o -empty | sort"))
    end

    before_each(function()
        dir = os.tmpname()
        os.remove(dir)
        shell("mkdir -p " .. dir .. "/p/share/lua/5.1/quoll/deep/er "
            .. dir .. "/p/lib/cmake/quoll " .. dir .. "/p/include")
        local paths = { "/p/share/lua/5.1/quoll/init.lua",
            "/p/share/lua/5.1/quoll/deep/er/one.lua", "/p/include/quoll.h",
            "/p/lib/cmake/quoll/quollConfig.cmake" }
        for _, path in ipairs(paths) do
            write(dir .. path, "")
        end
        write(dir .. "/manifest", table.concat(paths, "\n"))
    end)

    after_each(function()
        shell("rm -r " .. dir)
    end)

    it("leaves no folder of its own behind, and all others", function()
        local out, code = run()
        assert.equal(0, code, out)
        assert.equal("./p/include\n./p/lib/cmake\n./p/share/lua/5.1\n",
            left())
    end)

    it("leaves what is not its own", function()
        write(dir .. "/p/share/lua/5.1/quoll/deep/.mine", "")
        assert.equal(0, (select(2, run())))
        assert.equal("./p/include\n./p/lib/cmake\n"
            .. "./p/share/lua/5.1/quoll/deep/.mine\n", left())
    end)

    it("says that nothing is installed", function()
        run()
        local out, code = run()
        assert.equal(1, code)
        assert.matches("nothing is installed", out)
    end)
end)

-- A program of the runtime alone.
local PROGRAM = [[
#include <quoll.h>
#include <stdio.h>

static void
on_timer(ql_event_t *ev)
{
    puts("ticked");
    ql_loop_stop(((ql_connection_t *) ev->data)->loop);
}

int
main(void)
{
    ql_loop_t *loop = ql_loop_create(NULL, NULL);
    ql_connection_t c = {.loop = loop, .fd = -1};
    ql_event_t ev = {.data = &c, .handler = on_timer};

    ql_add_timer(loop, &ev, 1);
    if (ql_loop_run(loop) != NGX_OK) {
        return 1;
    }
    ql_loop_destroy(loop);
    return 0;
}
]]

local PROJECT = [[
cmake_minimum_required(VERSION 3.20)
project(outside C)
find_package(quoll REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LUAJIT REQUIRED luajit)
add_executable(program program.c)
target_link_libraries(program quoll::quoll)
add_executable(static_program program.c)
target_link_libraries(static_program quoll::static)
add_library(ticker_core MODULE ticker_core.c)
target_include_directories(ticker_core PRIVATE ${LUAJIT_INCLUDE_DIRS})
target_link_libraries(ticker_core quoll::lua)
set_target_properties(ticker_core PROPERTIES PREFIX "")
]]

local function block(language, n)
    local text = read "docs/EXTENDING.md"
    for found in text:gmatch("\n```" .. language .. "\n(.-)\n```") do
        n = n - 1
        if n == 0 then
            return found .. "\n"
        end
    end
end

describe("an installed quoll", function()
    local dir, prefix, lib
    local manifest
    if helper.sanitized then
        pending "links with no program that is built otherwise"
        return
    end

    local function succeeds(command)
        local out, code = shell("env -u LD_PRELOAD -u LUA_INIT " .. command)
        assert.equal(0, code, out)
        return out
    end

    -- luajit knows nothing but the prefix, and what lies in `built`.
    local function luajit(script, built)
        write(dir .. "/script.lua", script)
        return succeeds(("-C %s -u LUA_INIT LUA_PATH='%s/share/lua/5.1/?.lua;"
            .. "%s/share/lua/5.1/?/init.lua;./?.lua' LUA_CPATH='%s/lua/5.1/"
            .. "?.so;%s/?.so' luajit script.lua"):format(dir, prefix, prefix,
            lib, built))
    end

    -- What `cmake --install` runs, but for its manifest: that of the build is
    -- the person's who has installed it.
    local function install()
        local text, n = read(helper.build .. "/cmake_install.cmake")
            :gsub('(file%(WRITE ")[^"]*(/%${CMAKE_INSTALL_MANIFEST}")',
            function(before, after) return before .. dir .. after end)
        assert.equal(1, n)
        write(dir .. "/install.cmake", text)
        succeeds(("cmake -DCMAKE_INSTALL_PREFIX=%s -P %s/install.cmake")
            :format(prefix, dir))
    end

    setup(function()
        dir = folders.make()
        prefix = dir .. "/prefix"
        manifest = dir .. "/install_manifest.txt"
        install()
        lib = succeeds("find " .. prefix .. " -name libquoll.so")
            :match "^(.*)/libquoll.so"
        write(dir .. "/program.c", PROGRAM)
        write(dir .. "/ticker_core.c", block("c", 1))
        write(dir .. "/ticker.lua", block("lua", 1))
    end)

    teardown(function()
        shell("rm -r " .. dir)
    end)

    it("is found by luajit", function()
        assert.equal("slept\n", luajit([[
            local quoll = require "quoll"
            quoll.run(quoll.sleep, 0.001)
            print "slept"
        ]], "."))
    end)

    local function pkg_config(arguments)
        return (succeeds("PKG_CONFIG_PATH=" .. lib .. "/pkgconfig pkg-config "
            .. "--cflags --libs " .. arguments):gsub("%s+", " "))
    end

    -- Does what program `name` is need a library of quoll's at run time?
    local function needs_quoll(name)
        return succeeds("readelf -d " .. dir .. "/" .. name)
            :find("NEEDED[^\n]*libquoll") ~= nil
    end

    it("makes programs that need nothing of it, by pkg-config --static",
        function()
            succeeds(("-C %s cc -Wall -static program.c -o whole %s")
                :format(dir, pkg_config "--static libquoll"))
            assert.equal("ticked\n", succeeds(dir .. "/whole"))
            assert.is_false(needs_quoll "whole")
            succeeds(("-C %s cc -Wall program.c -o shared -Wl,-rpath,%s %s")
                :format(dir, lib, pkg_config "libquoll"))
            assert.equal("ticked\n", succeeds(dir .. "/shared"))
            assert.is_true(needs_quoll "shared")
        end)

    it("promises no more to --static than it has", function()
        for option in pkg_config("--static libquoll"):gmatch "%-l(%S+)" do
            succeeds("find " .. lib .. " /usr/lib -name lib" .. option
                .. ".a | grep -q .")
        end
        assert.is_nil(pkg_config("--static quoll"):find "laio")
    end)

    it("is linked by what pkg-config says", function()
        local flags = pkg_config "quoll luajit":gsub("%-lluajit%S*", "")
        succeeds(("-C %s cc -Wall program.c -o program -Wl,-rpath,%s %s")
            :format(dir, lib, flags))
        assert.equal("ticked\n", succeeds(dir .. "/program"))
        succeeds(("-C %s cc -shared -fPIC ticker_core.c -o ticker_core.so "
            .. "-Wl,-rpath,%s %s"):format(dir, lib, flags))
        local before = luajit(block("lua", 2), ".")
        assert.equal(before, luajit('require "quoll"\n' .. block("lua", 2),
            "."))
        assert.is_true(#before > 0)
    end)

    it("is linked by CMake's find_package", function()
        write(dir .. "/CMakeLists.txt", PROJECT)
        succeeds(("cmake -S %s -B %s/out -DCMAKE_PREFIX_PATH=%s")
            :format(dir, dir, prefix))
        succeeds("cmake --build " .. dir .. "/out")
        assert.equal("ticked\n", succeeds(dir .. "/out/program"))
        assert.equal("ticked\n", succeeds(dir .. "/out/static_program"))
        assert.is_false(needs_quoll "out/static_program")
        assert.is_true(#luajit(block("lua", 2), "out") > 0)
    end)

    it("is linked by the project that EXTENDING.md shows", function()
        write(dir .. "/CMakeLists.txt", block("cmake", 1))
        succeeds(("cmake -S %s -B %s/shown -DCMAKE_PREFIX_PATH=%s")
            :format(dir, dir, prefix))
        succeeds("cmake --build " .. dir .. "/shown")
        assert.is_true(#luajit(block("lua", 2), "shown") > 0)
        succeeds(("cmake --install %s/shown --prefix %s/shown/p"):format(dir,
            dir))
        succeeds("find " .. dir .. "/shown/p/share/lua/5.1/ticker.lua")
    end)

    it("is what a new extension is built and tested with", function()
        succeeds("env -u MAKEFLAGS -u MAKELEVEL make -s new-extension "
            .. "NAME=gauge DIR=" .. dir)
        local build = dir .. "/gauge/build"
        succeeds(("cmake -S %s/gauge -B %s -DCMAKE_PREFIX_PATH=%s")
            :format(dir, build, prefix))
        succeeds("cmake --build " .. build)
        succeeds("env -u LUA_PATH -u LUA_CPATH ctest --output-on-failure "
            .. "--test-dir " .. build)
        succeeds(("cmake --install %s --prefix %s"):format(build, dir
            .. "/gauge/prefix"))
        assert.equal("2\n", luajit([[
            package.path = "gauge/prefix/share/lua/5.1/?.lua;" .. package.path
            package.cpath = arg[0]:gsub("script.lua", "") .. "gauge/prefix/"
                .. "lib/lua/5.1/?.so;" .. package.cpath
            local counter = require("gauge").new() -- before quoll itself
            counter:add(2)
            print(counter:wait())
        ]], "."))
    end)

    it("leaves nothing when it is uninstalled", function()
        succeeds("cmake -DMANIFEST=" .. manifest
            .. " -P cmake/uninstall.cmake")
        assert.equal("", (shell("cd " .. prefix
            .. " && find . -type f -o -type l -o -name 'quoll*'")))
    end)
end)
