-- make new-extension: what it refuses, and that what it makes builds and passes
-- its spec. Against an installed quoll: spec/install_spec.lua.
local folders = require "spec.support.folders"
local helper = require "spec.helper"

local function shell(command)
    local pipe = assert(io.popen("env -u MAKEFLAGS -u MAKELEVEL -u LD_PRELOAD "
        .. "-u LUA_INIT -u LUA_PATH -u LUA_CPATH timeout -k 5 "
        .. helper.seconds(120) .. " sh -c '" .. command .. "' 2>&1; echo $?"))
    local out, code = pipe:read("*a"):match "^(.-)(%d+)\n$"
    pipe:close()
    return out, tonumber(code)
end

local function succeeds(command)
    local out, code = shell(command)
    assert.equal(0, code, out)
    return out
end

describe("make new-extension", function()
    local dir

    before_each(function()
        dir = folders.make()
    end)

    after_each(function()
        folders.remove(dir)
    end)

    for name, says in pairs {
        [""] = "which name%? make new%-extension NAME=x",
        ["Gauge"] = "'Gauge' is no name: small letters, digits and _",
        ["2x"] = "'2x' is no name", ["_x"] = "'_x' is no name",
        ["a/b"] = "'a/b' is no name", ["a-b"] = "'a%-b' is no name",
        ["while"] = "'while' is a word of Lua",
        ["quoll"] = "'quoll' is a module that is there already",
        ["socket"] = "'socket' is a module that is there already",
        ["string"] = "'string' is a module that is there already",
        ["mediator"] = "'mediator' is a module that is there already: /.*"
            .. "mediator%.lua", -- busted's
        ["switch"] = "'switch' is a word of C",
        ["class"] = "'class' is a word of C or C%+%+",
        [("x"):rep(41)] = "is longer than 40 letters",
    } do
        it("refuses '" .. name .. "' as a name", function()
            local out, code = shell(("make -s new-extension NAME=%s DIR=%s")
                :format(name, dir))
            assert.not_equal(0, code)
            assert.matches(says, out)
            assert.equal("", succeeds("ls -A " .. dir))
        end)
    end

    it("writes over nothing, and into no folder that is not there", function()
        local make = "make -s new-extension NAME=gauge DIR=" .. dir
        succeeds(make)
        assert.matches("/gauge exists", (shell(make)))
        assert.matches("there is no folder", (shell(make .. "/none")))
    end)

    it("makes what builds and passes its spec", function()
        if helper.sanitized then
            return -- a program that is built otherwise does not link
        end
        local said = succeeds("make -s new-extension NAME=gauge DIR=" .. dir)
        local folder = dir .. "/gauge"
        assert.matches("cd " .. folder, said, 1, true)
        assert.equal("0\n", succeeds("grep -ri skeleton " .. folder
            .. " | wc -l"))
        succeeds(("cmake -S %s -B %s/build -DCMAKE_C_FLAGS=\"-Wall -Wextra "
            .. "-Werror\" -Dquoll_DIR=%s/%s"):format(folder, folder,
            helper.root, helper.build))
        succeeds("cmake --build " .. folder .. "/build")
        assert.matches("1/1 Test #1: gauge_spec%.lua %.+ +Passed",
            succeeds("ctest --output-on-failure --test-dir " .. folder
            .. "/build"))
    end)
end)
