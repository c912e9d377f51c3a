-- folder.lua: where a document's blocks are run: the clone's folders are there,
-- and a luajit that finds the build tree.
local helper = require "spec.helper"
local quoll = require "quoll"

local folder = {}

local clone = { "README.md", "bench", "docs", "examples", "lua" }

local function absolute(path)
    return path:find "^/" and path or helper.root .. "/" .. path
end

local build = absolute(helper.build)
local lua_path = ("./?.lua;%s/lua/?.lua;%s/lua/?/init.lua;;"):format(
    helper.root, helper.root)
local lua_cpath = ("./?.so;%s/lib/lua/5.1/?.so;;"):format(build)

function folder.write(path, text)
    assert(quoll.fs.writefile(path, text, { sync = false }))
end

-- For C: the build tree as an installed quoll.
local function write_pkg_config(path)
    folder.write(path, ("Name: quoll\nDescription: quoll\nVersion: 0\n"
        .. "Cflags: -I%s/runtime -I%s/bindings\n"
        .. "Libs: -L%s/lib -lquoll-lua -lquoll -Wl,-rpath,%s/lib\n"):format(
        helper.root, helper.root, build, build))
end

local function the_luajit()
    local pipe = assert(io.popen "command -v luajit")
    local path = pipe:read "*l"
    pipe:close()
    return path
end

-- A luajit that finds quoll whatever is left of the environment. It alone has
-- what the suite puts into one (`make test-inject`, `test-gc`).
local function write_luajit(path)
    local lua = os.getenv "QUOLL_LUA"
    local lines = { "#!/bin/sh" }
    for name, value in pairs { LUA_PATH = lua_path, LUA_CPATH = lua_cpath,
        LUA_INIT = os.getenv "LUA_INIT", LD_PRELOAD = os.getenv "LD_PRELOAD",
    } do
        lines[#lines + 1] = ("export %s='%s'"):format(name, value)
    end
    lines[#lines + 1] = ("exec %s \"$@\"\n"):format(
        lua and absolute(lua) or the_luajit())
    folder.write(path, table.concat(lines, "\n"))
    assert(os.execute("chmod +x " .. path) == 0)
end

-- Makes one; it is gone with the running task.
function folder.new()
    local path = os.tmpname()
    os.remove(path)
    quoll.defer(os.execute, "rm -rf " .. path)
    assert(quoll.fs.mkdir(path .. "/bin", { parents = true }))
    for _, name in ipairs(clone) do
        assert(quoll.fs.symlink(helper.root .. "/" .. name,
            path .. "/" .. name))
    end
    write_luajit(path .. "/bin/luajit")
    write_pkg_config(path .. "/bin/quoll.pc")
    return path
end

-- The variables to set for what runs there; false: to remove.
function folder.environment(path)
    return {
        LUA_PATH = lua_path, LUA_CPATH = lua_cpath,
        LUA_INIT = false, LD_PRELOAD = false,
        PATH = path .. "/bin:" .. os.getenv "PATH" .. ":/usr/sbin",
        PKG_CONFIG_PATH = path .. "/bin",
        LC_ALL = "C.UTF-8",
    }
end

return folder
