-- What the documents say is there is there, and what is there they say.
local helper = require "spec.helper"

local function read(path)
    local file = assert(io.open(helper.root .. "/" .. path))
    local text = file:read("*a")
    file:close()
    return text
end

local function write(path, text)
    local file = assert(io.open(path, "w"))
    assert(file:write(text))
    file:close()
end

local function lines_of(command)
    local found = {}
    local pipe = assert(io.popen(command))
    for line in pipe:lines() do
        found[#found + 1] = line
    end
    pipe:close()
    return found
end

-- The ```language blocks of a document.
local function blocks(path, language)
    local found = {}
    for block in ("\n" .. read(path)):gmatch("\n```" .. language
        .. "\n(.-)\n```") do
        found[#found + 1] = block .. "\n"
    end
    return found
end

local function matches(text, pattern)
    local found = {}
    for name in text:gmatch(pattern) do
        found[#found + 1] = name
    end
    return found
end

local function exists(path)
    local file = io.open(helper.root .. "/" .. path)
    return file ~= nil and file:close()
end

-- A spec that is long is split: name_spec.lua or name_*_spec.lua.
local function spec_exists(path)
    local several = path:gsub("_spec%.lua$", "_*_spec.lua")
    return exists(path) or #lines_of("ls " .. helper.root .. "/" .. several
        .. " 2>/dev/null") > 0
end

local documents = {
    "README.md", "CHANGELOG.md", "docs/API.md", "docs/DESIGN.md",
    "docs/EXTENDING.md", "docs/GUIDE.md", "docs/VOCABULARY.md",
}

describe("docs/API.md", function()
    local manual = require "docs.site.manual"

    local function public()
        local names = { ["res.status"] = true }
        for name in pairs(require("docs.site.public").names()) do
            names[name] = true
        end
        return names
    end

    local function documented()
        local names = {}
        for _, entry in ipairs(manual.read(helper.root)) do
            assert.is_nil(names[entry.name], entry.name .. " has two entries")
            names[entry.name] = true
        end
        return names
    end

    it("has an entry for each function, and for nothing else", function()
        assert.same(public(), documented())
    end)

    it("lists the settings with their defaults", function()
        local quoll = require "quoll"
        local listed = {}
        for name, default in read("docs/API.md"):gmatch(
            "\n| `([%w_]+)` | (%d+) |") do
            listed[name] = tonumber(default)
        end
        assert.same(quoll.configure(), listed)
    end)

    it("lists the counters", function()
        local text = read("docs/API.md"):match(
            "### `quoll.stats%(.-%)`\n(.-)###")
        for group, of in pairs(require("quoll").stats()) do
            assert.truthy(text:find("* `" .. group .. "`:", 1, true), group)
            for name in pairs(type(of) == "table" and of or {}) do
                assert.truthy(text:find("`" .. name .. "`", 1, true),
                    group .. "." .. name)
            end
        end
    end)
end)

describe("docs/VOCABULARY.md", function()
    local text = read("docs/VOCABULARY.md")

    it("names files that exist", function()
        local paths = matches(text, "`([%w_]+/[%w_/]+%.[ch])`")
        assert.truthy(#paths > 20)
        for _, path in ipairs(paths) do
            assert.truthy(exists(path), path)
        end
    end)

    it("names specs that exist", function()
        local paths = matches(text, "`(spec/[%w_/]+_spec%.lua)`")
        assert.truthy(#paths > 20)
        for _, path in ipairs(paths) do
            assert.truthy(spec_exists(path), path)
        end
    end)

    it("has every source of the runtime", function()
        for _, path in ipairs(lines_of("cd " .. helper.root
            .. " && ls runtime/*/*.c")) do
            assert.truthy(text:find("`" .. path .. "`", 1, true), path)
        end
    end)
end)

describe("the documents", function()
    it("name functions and types that the sources have", function()
        local sources = table.concat(lines_of("cat " .. helper.root
            .. "/runtime/*.h " .. helper.root .. "/runtime/*/*.[ch] "
            .. helper.root .. "/bindings/*.h " .. helper.root
            .. "/cmake/*.cmake"), "\n")
        for _, path in ipairs(documents) do
            for _, name in ipairs(matches(read(path),
                "%f[%w_]([qQ][lL]_[%w_]+)")) do
                assert.truthy(sources:find("%f[%w_]" .. name .. "%f[^%w_]"),
                    path .. ": " .. name)
            end
        end
    end)

    it("link to files that exist", function()
        local pages = { unpack(documents) }
        pages[#pages + 1] = "docs/index.html"
        for _, path in ipairs(pages) do
            local folder = path:match("^(.*/)") or ""
            local text = read(path)
            local links = matches(text, "%]%(([^)#]+)%)")
            for _, link in ipairs(matches(text, 'href="([^"]+)"')) do
                links[#links + 1] = link
            end
            for _, link in ipairs(links) do
                assert.truthy(link:find("^https://")
                    or exists(folder .. link), path .. ": " .. link)
            end
        end
    end)

    it("have Lua that compiles", function()
        for _, path in ipairs(documents) do
            for i, block in ipairs(blocks(path, "lua")) do
                assert(loadstring(block, ("=%s, block %d"):format(path, i)))
            end
        end
    end)
end)

describe("what a reader copies", function()
    local unbuffered = "io.stdout:setvbuf 'no'\n"
    -- On a port of the system's choice, which it prints.
    local telling = unbuffered .. [[
        local quoll = require "quoll"
        local serve = quoll.serve
        quoll.serve = function(_, fn)
            local listener = assert(quoll.listen "127.0.0.1:0")
            print(listener:address())
            return serve(listener, fn)
        end
    ]]

    local function busted(source)
        local path = os.tmpname()
        write(path, source)
        local result = helper.script("require 'busted.runner' "
            .. "{ standalone = false }", { "--ignore-lua",
            "--cpath=" .. helper.build .. "/lib/lua/5.1/?.so", path })
        os.remove(path)
        return result
    end

    it("runs: the README's first script", function()
        local quoll = require "quoll"
        local child = helper.start(unbuffered .. blocks("README.md", "lua")[1],
            { "127.0.0.1:0" })
        local address = child:line():match("^listening on (%S+)$")
        local conn = assert(quoll.connect(assert(address), { timeout = 10 }))
        conn:settimeout(10)
        assert(conn:send("hello"))
        assert.equal("hello", conn:receive(5))
        conn:close()
        child:kill(2)
        assert.equal("stopped", child:line())
        assert.equal(0, helper.finish_script(child).code)
    end)

    it("runs: the guide's scripts", function()
        local scripts = blocks("docs/GUIDE.md", "lua")
        local waiting = {} -- for their timers: the others run meanwhile
        for i = 3, #scripts do -- the first two need each other
            if scripts[i]:find "timer%.every"
                or scripts[i]:find "slice_max"
            then
                waiting[i] = helper.start(unbuffered .. scripts[i])
            end
        end
        assert.truthy(next(waiting))
        for i = 3, #scripts do
            local result = waiting[i] and helper.finish_script(waiting[i])
                or scripts[i]:find "quoll.busted" and busted(scripts[i])
                or helper.script(unbuffered .. scripts[i])
            assert.equal(0, result.code, ("block %d: %s"):format(i,
                tostring(result.err)))
        end
    end)

    it("runs: the guide's server and its client", function()
        local scripts = blocks("docs/GUIDE.md", "lua")
        local child = helper.start(telling .. scripts[1])
        local address = assert(child:line())
        local client = scripts[2]:gsub("127%.0%.0%.1:7000", address)
        local result = helper.script(unbuffered .. client)
        assert.equal("HELLO\n", result.out, result.err)
        child:kill(2)
        assert.equal(0, helper.finish_script(child).code)
    end)
end)

describe("docs/EXTENDING.md", function()
    local folder

    local function compile()
        local build = helper.build:match("^/") and helper.build
            or helper.root .. "/" .. helper.build
        return os.execute(("cd %s && cc -std=gnu11 -Wall -Wextra -Wshadow "
            .. "-Wmissing-prototypes -Wcast-qual -Werror -shared -fPIC "
            .. "-Wl,-z,nodelete -I%s/runtime -I%s/bindings "
            .. "$(pkg-config --cflags luajit) -o ticker_core.so "
            .. "ticker_core.c -L%s/lib -lquoll-lua -lquoll "
            .. "-Wl,-rpath,%s/lib"):format(folder, helper.root, helper.root,
            build, build)), build
    end

    before_each(function()
        folder = os.tmpname()
        os.remove(folder)
        assert.equal(0, os.execute("mkdir " .. folder))
    end)

    after_each(function()
        for _, name in ipairs { "ticker_core.c", "ticker_core.so",
            "ticker.lua" } do
            os.remove(folder .. "/" .. name)
        end
        os.execute("rmdir " .. folder)
    end)

    it("has an example that compiles and runs", function()
        local lua = blocks("docs/EXTENDING.md", "lua")
        write(folder .. "/ticker_core.c",
            blocks("docs/EXTENDING.md", "c")[1])
        write(folder .. "/ticker.lua", lua[1])
        local status, build = compile()
        assert.equal(0, status)
        local result = helper.script(lua[2], {}, { env = {
            LUA_PATH = ("%s/?.lua;%s/lua/?.lua;%s/lua/?/init.lua"):format(
                folder, helper.root, helper.root),
            LUA_CPATH = ("%s/?.so;%s/lib/lua/5.1/?.so"):format(folder, build),
        } })
        assert.equal(0, result.code, result.err)
        assert.truthy(result.out:find("^ticks\t%d+\nnil\ttimeout\tTIMEOUT\n"
            .. "nil\tclosed\tCLOSED\n$"), result.out)
    end)
end)
