local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

local modes = { r = "cached", rd = "direct" }

-- fn(ours, io's) on a file with this content.
local function both(content, mode, fn)
    local path = tasks.file(content)
    local theirs = assert(io.open(path, "rb"))
    run(function()
        local ours = assert(quoll.open(path, mode))
        os.remove(path)
        fn(ours, theirs)
    end, 20)
    theirs:close()
end

local long = ("long line "):rep(104858)
local samples = {
    ["no final newline"] = "one\ntwo\n\nthree",
    ["a final newline"] = "one\ntwo\n\n",
    ["nothing"] = "",
    ["one newline"] = "\n",
    ["zero bytes and CR"] = "a\0b\r\n\0\nend\r",
    ["very long lines"] = long .. "\n" .. long .. "x\nshort\n" .. long,
    ["lines across the read-ahead"] = (("x"):rep(1021) .. "\n"):rep(300),
}

for mode, name in pairs(modes) do
    describe("read of a " .. name .. " file", function()
        helper.gates()

        for what, content in pairs(samples) do
            -- LuaJIT's own lines end at a zero byte.
            it("gives io's lines of a file with " .. what, function()
                content = content:gsub("%z", "0")
                for _, format in ipairs { "*l", "*L" } do
                    both(content, mode, function(ours, theirs)
                        repeat
                            local expected = theirs:read(format)
                            assert.is_true(expected == ours:read(format))
                        until not expected
                    end)
                end
            end)

            it("gives io's pieces of a file with " .. what, function()
                both(content, mode, function(ours, theirs)
                    local n = 1
                    repeat
                        local expected = theirs:read(n)
                        assert.is_true(expected == ours:read(n))
                        n = (n * 7 + 1) % 300007
                    until not expected
                end)
            end)

            it("gives all of a file with " .. what, function()
                both(content, mode, function(ours)
                    assert.is_true(content == ours:read "*a")
                    assert.equal("", ours:read "*a")
                    assert.is_nil((ours:read(1)))
                end)
            end)
        end

        it("gives lines with zero bytes", function()
            both("a\0b\n\0\n", mode, function(ours)
                assert.same({ "a\0b", "\0\n" }, { ours:read("*l", "*L") })
            end)
        end)

        it("gives io's numbers", function()
            local content = " 1 -2.5 0x10\n1e3 .5 7,8 9"
            both(content, mode, function(ours, theirs)
                for _ = 1, 6 do
                    assert.equal(theirs:read "*n", ours:read "*n")
                end
                assert.is_nil(ours:read "*n")
            end)
        end)

        it("takes several formats and stops at the first nil", function()
            both("5 one\ntwo\nrest", mode, function(ours)
                assert.same({ 5, " one", "tw", "o\n", "rest" },
                    { ours:read("*n", "*l", 2, "*L", "*a") })
                local n = select("#", ours:read(1, 1, 1))
                assert.equal(1, n)
            end)
            both("one", mode, function(ours)
                assert.same({ n = 2, "one" },
                    { n = select("#", ours:read(3, 1, 1)), "one" })
            end)
        end)

        it("of 0 bytes tells the end", function()
            both("x", mode, function(ours, theirs)
                assert.equal("", theirs:read(0))
                assert.equal("", ours:read(0))
                ours:read(1)
                theirs:read(1)
                assert.is_nil(theirs:read(0))
                assert.is_nil(ours:read(0))
            end)
        end)

        it("goes on where a file has grown", function()
            local path = tasks.file "one\npar"
            finally(function() os.remove(path) end)
            local function append(more)
                local out = io.open(path, "a")
                out:write(more)
                out:close()
            end
            run(function()
                local file = assert(quoll.open(path, mode))
                assert.same({ "one", "par" }, { file:read("*l", "*l") })
                assert.is_nil((file:read "*l"))
                append "tial\nnext"
                assert.same({ "tial", "next" }, { file:read("*l", "*l") })
                assert.is_nil((file:read(1)))
                append "."
                assert.equal(".", file:read(10))
            end)
        end)

        it("has one reader at a time", function()
            both(long, mode, function(ours)
                local first = quoll.spawn(ours.read, ours, 100000)
                tasks.settle()
                if first:status() == "waiting" then
                    assert.same({ nil, "busy reading", "BUSY" },
                        { ours:read(1) })
                    assert.same({ nil, "busy reading", "BUSY" },
                        { ours:seek("set", 0) })
                end
                assert.is_true(long:sub(1, 100000) == first:wait())
                assert.equal(long:sub(100001, 100010), ours:read(10))
            end)
        end)

        it("is not disturbed by one that was cancelled", function()
            both(long, mode, function(ours)
                local first = quoll.spawn(ours.read, ours, 1000)
                tasks.settle()
                first:cancel()
                local got = first:wait()
                assert.equal(long:sub(got and 1001 or 1, got and 1010 or 10),
                    ours:read(10))
            end)
        end)

        it("seeks as io does", function()
            both("0123456789", mode, function(ours, theirs)
                for _, step in ipairs { { "set", 3 }, { "cur", 2 },
                    { "cur", -1 }, { "end", -2 }, { "end", 5 }, { "cur" },
                    { "set" } } do
                    assert.equal(theirs:seek(unpack(step)),
                        ours:seek(unpack(step)))
                    assert.equal(theirs:read(1), (ours:read(1)))
                    assert.equal(theirs:seek(), ours:seek())
                end
                local at, err, code = ours:seek("set", -1)
                assert.same({ nil, "EINVAL" }, { at, code })
                assert.matches(": invalid argument$", err)
            end)
        end)
    end)
end

describe("lines and chunks", function()
    helper.gates()

    it("end at the end", function()
        both("a\nb\n\nc", "r", function(ours)
            local lines = {}
            for line in ours:lines() do
                lines[#lines + 1] = line
            end
            assert.same({ "a", "b", "", "c" }, lines)
        end)
    end)

    it("of n bytes have a shorter last one", function()
        both("abcdefg", "rd", function(ours)
            local chunks = {}
            for chunk in ours:chunks(3) do
                chunks[#chunks + 1] = chunk
            end
            assert.same({ "abc", "def", "g" }, chunks)
        end)
    end)

    it("raise on failure", function()
        both("a\nb\n", "r", function(ours)
            local ok, err = pcall(function()
                for _ in ours:lines() do
                    ours:close()
                end
            end)
            assert.is_false(ok)
            assert.matches("file_read_spec.lua:%d+: closed$", err)
        end)
    end)
end)

describe("a finaliser that closes the file while a result is made", function()
    helper.gates()

    it("does not change the result", function()
        local pause, mul = collectgarbage("setpause", 0),
            collectgarbage("setstepmul", 10000)
        finally(function()
            collectgarbage("setpause", pause)
            collectgarbage("setstepmul", mul)
        end)
        local path = tasks.file(long)
        run(function()
            for i = 1, 300 do
                local file = assert(quoll.open(path, i % 2 == 0 and "r"
                    or "rd"))
                local proxy = newproxy(true)
                getmetatable(proxy).__gc = function() file:close() end
                proxy = nil -- luacheck: ignore
                local got, _, code = file:read(1000)
                assert.equal(got and long:sub(1, 1000) or "CLOSED",
                    got or code)
            end
        end, 20)
        os.remove(path)
    end)
end)

describe("a bad format", function()
    helper.gates()

    it("raises at the caller's line", function()
        both("x", "r", function(ours)
            for _, format in ipairs { "", "*", "*x", "x", -1, 1.5, {}, true }
            do
                local ok, err = pcall(function() ours:read(format) end)
                assert.is_false(ok)
                assert.matches("file_read_spec.lua:%d+: bad argument "
                    .. "'format' to 'read'", err)
            end
            local ok, err = pcall(ours.seek, ours, "middle")
            assert.is_false(ok)
            assert.matches("bad argument 'whence' to 'seek'", err)
            ok, err = pcall(ours.seek, ours, "set", 1.5)
            assert.is_false(ok)
            assert.matches("bad argument 'offset' to 'seek'", err)
        end)
    end)
end)
