-- compiled.lua: C programs and Lua modules in C, compiled against the build
-- tree as a user compiles them against an installed quoll.
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

-- Compiles source with the command `compiler`, the public headers and both
-- libraries at hand, into dir/output. Returns what was said and the status.
function compiled.compile(dir, compiler, source, output)
    local path = dir .. "/" .. (compiler:find "++" and "it.cpp" or "it.c")
    local file = assert(io.open(path, "w"))
    file:write(source)
    file:close()
    local root = native.cwd()
    local lib = (native.build:find "^/" and "" or root .. "/")
        .. native.build .. "/lib"
    return shell(("%s -I%s/runtime -I%s/bindings $(pkg-config --cflags luajit"
        .. " | sed s/-I/-isystem/) %s -o %s/%s -L%s -Wl,-rpath,%s -lquoll-lua"
        .. " -lquoll"):format(compiler, root, root, path, dir, output, lib,
        lib))
end

-- The module `name` in dir, from C source; raises if it does not compile.
function compiled.module(dir, name, source, compiler)
    local said, status = compiled.compile(dir, (compiler or "cc -std=gnu11")
        .. " -Wall -Wextra -shared -fPIC", source, name .. ".so")
    assert(status == 0 and said == "", said)
end

-- Runs a script that finds the modules of dir; as scripts.run.
function compiled.run(dir, script, opts)
    return scripts.run(("package.cpath = %q .. package.cpath\n")
        :format(dir .. "/?.so;") .. script, nil, opts)
end

return compiled
