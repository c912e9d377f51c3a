-- compiled.lua: C programs and Lua modules in C, compiled against the build
-- tree as a user compiles them against an installed quoll.
local child = require "spec.support.child"
local native = require "spec.support.native"
local scripts = require "spec.support.scripts"

local compiled = {}

local function shell(command)
    local pipe = assert(io.popen("env -u LD_PRELOAD -u LUA_INIT " .. command
        .. " 2>&1; echo $?"))
    local out, code = pipe:read("*a"):match "^(.-)(%d+)\n$"
    pipe:close()
    return out, tonumber(code)
end

-- A new folder; remove it with compiled.remove.
function compiled.folder()
    local dir = os.tmpname()
    os.remove(dir)
    assert(os.execute("mkdir " .. dir) == 0)
    return dir
end

function compiled.remove(dir)
    os.execute("rm -r " .. dir)
end

local lib = (native.build:find "^/" and "" or native.cwd() .. "/")
    .. native.build .. "/lib"

-- Compiles source with the command `compiler`, the public headers and libraries
-- at hand (nil: -lquoll-lua -lquoll), into dir/output. Returns what was said
-- and the status.
function compiled.compile(dir, compiler, source, output, libraries)
    local path = dir .. "/" .. (compiler:find "++" and "it.cpp" or "it.c")
    local file = assert(io.open(path, "w"))
    file:write(source)
    file:close()
    local root = native.cwd()
    return shell(("%s -I%s/runtime -I%s/bindings $(pkg-config --cflags luajit"
        .. " | sed s/-I/-isystem/) %s -o %s/%s -L%s -Wl,-rpath,%s %s")
        :format(compiler, root, root, path, dir, output, lib, lib,
        libraries or "-lquoll-lua -lquoll"))
end

local function succeeds(said, status)
    assert(status == 0 and said == "", said)
end

-- The module `name` in dir, from C source; raises if it does not compile.
function compiled.module(dir, name, source, compiler, libraries)
    succeeds(compiled.compile(dir, (compiler or "cc -std=gnu11")
        .. " -Wall -Wextra -shared -fPIC", source, name .. ".so", libraries))
end

-- Runs a script that finds the modules of dir; as scripts.run.
function compiled.run(dir, script, opts)
    return scripts.run(("package.cpath = %q .. package.cpath\n")
        :format(dir .. "/?.so;") .. script, nil, opts)
end

-- The program `name` in dir; raises if it does not compile. Run it with
-- compiled.execute.
function compiled.program(dir, name, source, libraries)
    local sanitize = os.getenv "QUOLL_TEST_ASAN"
        and " -fsanitize=address,undefined" or ""
    succeeds(compiled.compile(dir, "cc -std=gnu11 -Wall -Wextra" .. sanitize,
        source, name, libraries))
end

-- Runs it to its end: { code | signal, out, err, timeout }.
function compiled.execute(path, seconds)
    return child.spawn({ "env", "-u", "LD_PRELOAD", path }):wait((seconds or 60)
        * tonumber(os.getenv "QUOLL_TEST_PATIENCE" or 1))
end

-- What finds misuse: libraries to link, and where its quoll.core lies. A debug
-- build does by itself, any other has the two once more.
local file = io.open(lib .. "/libquoll-lua-checked.so")
if file then
    file:close()
    compiled.checked = { libraries = "-lquoll-lua-checked -lquoll-test",
        env = { LUA_CPATH = lib .. "/checked/lua/5.1/?.so;;" } }
else
    compiled.checked = {}
end

return compiled
