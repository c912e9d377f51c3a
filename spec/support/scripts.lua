-- scripts.lua: Lua scripts in a luajit of their own, on the build tree.
local native = require "spec.support.native"
local child = require "spec.support.child"

local scripts = {}

local root = native.cwd()
local build = native.build:match("^/") and native.build
    or root .. "/" .. native.build
local running = {}

local function environment(extra)
    local env = {
        LUA_PATH = ("%s/lua/?.lua;%s/lua/?/init.lua;;"):format(root, root),
        LUA_CPATH = build .. "/lib/lua/5.1/?.so;;",
    }
    for name, value in pairs(extra or {}) do
        env[name] = value
    end
    return env
end

-- Starts `script`, a path that ends in .lua or source text, with arguments.
-- opts: { env = {}, lua = what runs it }. Returns a child: line, write, kill,
-- wait.
function scripts.start(script, args, opts)
    local lua = opts and opts.lua or os.getenv("QUOLL_LUA") or "luajit"
    local argv = { lua }
    local file
    if script:find("%.lua$") and not script:find("\n") then
        argv[2] = script
    else
        file = os.tmpname()
        local out = assert(io.open(file, "w"))
        out:write(script)
        out:close()
        argv[2] = file
    end
    for _, arg in ipairs(args or {}) do
        argv[#argv + 1] = tostring(arg)
    end
    local started = child.spawn(argv, environment(opts and opts.env))
    running[started] = file or true
    return started
end

local function forget(started)
    local file = running[started]
    running[started] = nil
    if type(file) == "string" then
        os.remove(file)
    end
end

-- Waits for the end of what start returned.
function scripts.finish(started, seconds)
    local result = started:wait((seconds or 10)
        * tonumber(os.getenv("QUOLL_TEST_PATIENCE") or 1))
    forget(started)
    return result
end

-- As finish, of what has to end by itself.
function scripts.ended(started)
    local result = scripts.finish(started)
    assert(not result.timeout, "the script did not end")
    return result
end

-- Runs a script to its end: { code | signal, out, err, timeout }.
-- opts: { env = {}, input = "", timeout = seconds }
function scripts.run(script, args, opts)
    local started = scripts.start(script, args, opts)
    if opts and opts.input then
        started:write(opts.input)
    end
    return scripts.finish(started, opts and opts.timeout)
end

-- Ends what is still running; returns how many there were.
function scripts.stop_all()
    local n = 0
    for started in pairs(running) do
        n = n + 1
        started:wait(0)
        forget(started)
    end
    return n
end

return scripts
