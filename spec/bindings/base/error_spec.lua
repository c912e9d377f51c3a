local compiled = require "spec.support.compiled"
local helper = require "spec.helper"
local quoll = require "quoll"
local core = require "quoll.core"

local function message(fn, ...)
    local ok, err = pcall(fn, ...)
    assert.is_false(ok)
    return err
end

describe("a failure", function()
    helper.gates()

    it("is nil, lower-case strerror, the errno's name", function()
        assert.same({ nil, "/no/such: no such file or directory", "ENOENT" },
            { quoll.open "/no/such" })
        assert.same({ nil, "bad file descriptor", "EBADF" },
            { quoll.waitfd(1999, "r", 0) })
    end)
end)

describe("misuse", function()
    helper.gates()

    it("raises at the script's line, however deep in quoll", function()
        for _, fn in ipairs {
            function() local r = quoll.sleep {} return r end,
            function() local r = quoll.open(7) return r end,
            function() local r = quoll.timer.every(0) return r end,
            function() local r = quoll.timer.every(1, 2) return r end,
            function() local r = quoll.waitfd(0, "x") return r end,
            function() local r = quoll.log("loud") return r end,
            function() local r = quoll.configure(1) return r end,
        } do
            local line = debug.getinfo(fn, "S").linedefined
            local err = message(fn)
            assert.matches("^[^\n]*error_spec.lua:" .. line
                .. ": bad argument '%a+' to '%a+'", err)
        end
    end)

    it("shows what it got", function()
        assert.matches("got nil%)$", message(quoll.open))
        assert.matches("got '%-1x'%)$", message(quoll.sleep, "-1x"))
        assert.matches("got %-1%)$", message(quoll.sleep, -1))
        assert.matches("got nan%)$", message(quoll.sleep, 0 / 0))
        assert.matches("got table%)$", message(quoll.sleep, {}))
        assert.matches("got boolean%)$", message(quoll.waitfd, true, "r"))
        assert.matches("got string%)$",
            message(quoll.sleep, ("long"):rep(100)))
    end)

    it("names the range of whole numbers", function()
        for _, fd in ipairs { -1, 0.5, 1e300, 0 / 0 } do
            assert.matches("bad argument 'fd' to 'waitfd' %(a whole number "
                .. "from 0 up expected", message(quoll.waitfd, fd, "r"))
        end
        local file = assert(quoll.open "LICENSE")
        assert.matches("bad argument 'n' to 'pread' %(a whole number from 0 "
            .. "to 1073741824 expected, got 1.5%)$",
            message(file.pread, file, 1.5, 0))
        assert.matches("bad argument 'offset' to 'pread' %(a whole number "
            .. "from 0 up expected, got nil%)$",
            message(file.pread, file, 1))
        file:close()
        assert.matches("bad argument 'n' to 'semaphore' %(a whole number from "
            .. "1 up expected, got no value%)$", message(quoll.sync.semaphore))
    end)

    it("raises at the line further out when the call was a tail call",
        function()
            local function tail() return quoll.sleep {} end
            local line = debug.getinfo(1, "l").currentline + 1
            local err = message(function() local r = tail() return r end)
            assert.matches("error_spec.lua:" .. line .. ": bad argument", err)
            err = select(2, pcall(quoll.sleep, {}))
            assert.matches("error_spec.lua:" .. line + 2 .. ": bad", err)
        end)

    it("in a coroutine without a line is raised at its resumer's", function()
        local create = quoll.coroutine.create
        local line
        local function resumed(resume, co)
            line = debug.getinfo(1, "l").currentline + 1
            local _, err = resume(co, {})
            return err
        end
        quoll.run(function()
            for _, lib in ipairs { coroutine, quoll.coroutine } do
                local err = resumed(lib.resume, create(quoll.sleep))
                assert.matches("error_spec.lua:" .. line .. ": bad", err)
            end
            local inner = create(quoll.sleep)
            local err = resumed(quoll.coroutine.wrap(function()
                local _, text = quoll.coroutine.resume(inner, {})
                return nil, text
            end))
            assert.matches("error_spec.lua:%d+: bad", err)
            assert.is_nil(err:find("spec.lua:" .. line, 1, true))
        end)
    end)

    it("in a task without a line is raised at that of its spawn", function()
        quoll.run(function()
            for _, spawn in ipairs {
                function() return (quoll.spawn(quoll.sleep, {})) end,
                function()
                    local t = quoll.spawn(function() return quoll.sleep {} end)
                    return t
                end,
                function() return (quoll.timer.after(0, quoll.sleep, {})) end,
            } do
                local task = spawn()
                assert.matches("^[^\n]*error_spec.lua:%d+: in the task spawned "
                    .. "here: bad argument 's' to 'sleep'",
                    message(task.wait, task))
            end
        end)
    end)

    it("of the main chunk's last call has no line", function()
        local result = helper.script "return require('quoll').sleep {}"
        assert.matches("^[^:\n]*: bad argument 's' to 'sleep'",
            result.err)
    end)

    it("of core.raise has the script's line too", function()
        assert.matches("^[^\n]*error_spec.lua:%d+: text %%s$",
            message(function() core.raise "text %s" end))
    end)

    it("of core.bad_argument is worded as that of a function of C", function()
        assert.matches("^[^\n]*error_spec.lua:%d+: bad argument 'n' to 'f' "
            .. "%(a boat expected, got 'car'%)$", message(function()
                core.bad_argument("car", "n", "f", "a boat")
            end))
        assert.matches("got nil%)$", message(function()
            core.bad_argument(nil, "n", "f", "a boat")
        end))
    end)
end)

-- A module whose loading takes the range 700.
local OWNER = [[
#include <quoll_lua.h>
#include <string.h>

int luaopen_NAME(lua_State *L);

static void
word(int err, char *to, size_t size)
{
    (void) err;
    strncpy(to, "NAME", size);
}

static const ql_error_words_t words = {"NAME", word, word};

int
luaopen_NAME(lua_State *L)
{
    ql_lua_open(L);
    ql_error_range(L, 700, &words);
    ql_error_range(L, 700, &words);
    return ql_push_error(L, 700 << 16 | 3);
}
]]

describe("a range of errors", function()
    local dir

    setup(function()
        dir = compiled.folder()
        for _, name in ipairs { "one", "other" } do
            compiled.module(dir, name, (OWNER:gsub("NAME", name)))
        end
    end)

    teardown(function()
        compiled.remove(dir)
    end)

    it("has one owner, and is not another's too", function()
        local result = compiled.run(dir, [[
            local function loaded(name)
                return package.loadlib(package.searchpath(name, package.cpath),
                    "luaopen_" .. name)
            end
            print(loaded "one" ())
            print(pcall(loaded "other"))
            print(select(2, loaded "one" ()))
        ]])
        assert.equal("", result.err)
        assert.equal("nil\tone\tone\nfalse\tthe range of errors 700 of "
            .. "'other' is that of 'one' already\none\tone\n", result.out)
    end)
end)
