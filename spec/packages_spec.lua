-- The Debian packages and the rock hold what the build tree has, and scripts
-- run by what they install. Nothing is compiled here: that a rock compiles the
-- same CMake project is not shown.
local helper = require "spec.helper"

-- What the suite puts into every luajit is not for what is installed.
local CLEAN = "env -u LD_PRELOAD -u LUA_INIT -u LUA_PATH -u LUA_CPATH "
    .. "-u MAKEFLAGS -u MAKELEVEL -u DESTDIR "

local SCRIPT = [[
local quoll = require "quoll"
local answer = quoll.run(function()
    local listener = assert(quoll.listen "127.0.0.1:0")
    local server = quoll.spawn(quoll.http.serve, listener, function(req)
        return "served " .. req.path
    end)
    local res = assert(quoll.http.get("http://" .. listener:address() .. "/x"))
    local body = res:body()
    server:cancel()
    return body
end)
for _, module in ipairs { "", ".http", ".tls", ".dns", ".websocket" } do
    require("quoll.core" .. module)
end
for line in io.lines "/proc/self/maps" do
    local path = line:match "%S*libquoll%S*$" or line:match "%S*/quoll/%S*$"
    assert(not path or path:find(arg[1], 1, true) == 1, path)
end
print(answer)
]]

-- Output and status; ends within limit s.
local function shell(command, limit)
    local pipe = assert(io.popen(("%s timeout -k 5 %d sh -c '%s' 2>&1; echo $?")
        :format(CLEAN, helper.seconds(limit or 30), command)))
    local out, code = pipe:read("*a"):match "^(.-)(%d+)\n$"
    pipe:close()
    return out, tonumber(code)
end

local function succeeds(command, limit)
    local out, code = shell(command, limit)
    assert.equal(0, code, out)
    return out
end

describe("what is built", function()
    if helper.sanitized then
        pending "is packaged without sanitizers"
        return
    end

    local dir
    local built = helper.root .. "/" .. helper.build

    local function write(path, text, mode)
        local file = assert(io.open(path, mode or "w"))
        file:write(text)
        file:close()
    end

    -- luajit finds quoll below lua and modules alone, and loads nothing of it
    -- from elsewhere.
    local function runs(lua, modules, environment)
        assert.equal("served /x\n", succeeds(('cd %s && LUA_PATH="%s/?.lua;'
            .. '%s/?/init.lua" LUA_CPATH="%s/?.so" %s luajit script.lua %s/')
            :format(dir, lua, lua, modules, environment, dir)))
    end

    setup(function()
        dir = os.tmpname()
        os.remove(dir)
        succeeds("mkdir " .. dir)
        write(dir .. "/script.lua", SCRIPT)
    end)

    teardown(function()
        shell("rm -r " .. dir)
    end)

    describe("becomes Debian packages", function()
        local packages = {} -- name -> path

        local function field(name, of)
            return (succeeds("dpkg-deb -f " .. packages[name] .. " " .. of)
                :gsub("\n$", ""))
        end

        -- Is it one of those that a package depends on?
        local function depends(name, on)
            local list = ", " .. field(name, "Depends") .. ", "
            return list:find(", " .. on .. ", ", 1, true)
                or list:find(", " .. on .. " (", 1, true)
        end

        setup(function()
            local made = succeeds(('DEBEMAIL=us@example.org DEBFULLNAME="A B" '
                .. "scripts/package %s %s/deb"):format(built, dir), 100)
            for path in made:gmatch "[^\n]+%.deb" do
                packages[path:match "([^/_]*)_[^/]*$"] = path
            end
        end)

        it("that depend on what they load", function()
            local exact = "libquoll0 (= " .. field("libquoll0", "Version")
                .. ")"
            for name, list in pairs {
                ["libquoll0"] = { "libaio1", "libc6" },
                ["lua-quoll"] = { exact, "luajit", "libssl3", "libc-ares2",
                    "libnghttp2-14" },
                ["libquoll-dev"] = { exact, "libluajit-5.1-dev" },
            } do
                for _, other in ipairs(list) do
                    assert.truthy(depends(name, other), name .. ": " .. other
                        .. " in " .. field(name, "Depends"))
                end
            end
        end)

        it("in the name of who makes them", function()
            for name in pairs(packages) do
                assert.equal("A B <us@example.org>", field(name, "Maintainer"))
            end
        end)

        it("that hold, together, each file once that is installed", function()
            local listed = {}
            for name, path in pairs(packages) do
                for file in succeeds("dpkg-deb -c " .. path)
                    :gmatch " %.(/usr/[^ \n]*[^/\n])[ \n]" do
                    assert.is_nil(listed[file], file)
                    listed[file] = name
                end
            end
            succeeds(("DESTDIR=%s/all cmake --install %s/deb"):format(dir, dir))
            for file in io.lines(dir .. "/deb/install_manifest.txt") do
                assert.is_not_nil(listed[file], file)
                listed[file] = nil
            end
            assert.same({}, listed)
        end)

        it("that run from where they are unpacked", function()
            for _, path in pairs(packages) do
                succeeds("dpkg-deb -x " .. path .. " " .. dir
                    .. "/unpacked")
            end
            local lib = succeeds("dirname " .. dir
                .. "/unpacked/usr/lib/*/libquoll.so.0"):gsub("\n", "")
            runs(dir .. "/unpacked/usr/share/lua/5.1", lib .. "/lua/5.1",
                "LD_LIBRARY_PATH=" .. lib)
        end)
    end)

    it("becomes a rock", function()
        local rocks, tree = dir .. "/rocks", dir .. "/tree"
        local luarocks = ("cd %s && luarocks --lua-version=5.1 --tree %s ")
            :format(tree, rocks)
        succeeds(("mkdir %s && tar -C %s --exclude=./.git "
            .. '--exclude="./build*" -c . | tar -C %s -x'):format(tree,
            helper.root, tree))
        succeeds(luarocks .. "lint quoll-scm-1.rockspec")
        write(tree .. "/quoll-scm-1.rockspec", ("build.build_pass = false\n"
            .. "build.variables.QL_BUILT = %q\n"):format(built), "a")
        succeeds(luarocks .. "make --deps-mode=none quoll-scm-1.rockspec", 100)
        runs(rocks .. "/share/lua/5.1", rocks .. "/lib/lua/5.1", "")
        succeeds(luarocks .. "remove quoll")
        assert.equal("", succeeds("find " .. rocks .. ' -name "*.lua" '
            .. '-path "*/quoll/*" -o -name "*.so*"'))
    end)
end)
