local helper = require "spec.helper"
local pair = require "spec.support.pair"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local function all(iterator)
    local list = {}
    for value in iterator do
        list[#list + 1] = value
    end
    return list
end

-- fn(file) in a task, on a file with this text.
local function with(text, fn)
    return function()
        local path = tasks.file(text)
        finally(function() os.remove(path) end)
        tasks.run(function()
            fn(assert(quoll.open(path)), path)
        end)
    end
end

local function raises(words, fn)
    local ok, err = pcall(fn)
    assert.is_false(ok)
    assert.matches("iterator_spec.lua:%d+: ", err)
    assert.truthy(err:find(words, 1, true), err)
end

describe("file:lines", function()
    helper.gates()

    local text = "one\ntwo\n\nlast"
    local formats = {
        { nil, { "one", "two", "", "last" } },
        { "*l", { "one", "two", "", "last" } },
        { "l", { "one", "two", "", "last" } },
        { "*L", { "one\n", "two\n", "\n", "last" } },
        { 5, { "one\nt", "wo\n\nl", "ast" } },
    }
    for _, case in ipairs(formats) do
        it("takes " .. tostring(case[1]), with(text, function(file)
            assert.same(case[2], all(file:lines(case[1])))
        end))
    end

    it("takes *n", with("1 2.5 0x10 end", function(file)
        assert.same({ 1, 2.5, 16 }, all(file:lines "*n"))
    end))

    it("refuses other formats when it is called", with(text, function(file)
        for _, bad in ipairs { "*a", 0, -1, 1.5, 0 / 0, 2 ^ 31, "x", "", true,
            {} } do
            raises("bad argument 'format' to 'lines' (", function()
                local lines = file:lines(bad)
                return lines
            end)
        end
    end))

    it("goes on when the file has grown", with("one\n", function(file, path)
        local lines = file:lines()
        assert.equal("one", lines())
        assert.is_nil(lines())
        assert(quoll.fs.append(path, "two\n"))
        assert.equal("two", lines())
    end))

    it("raises when the file is closed", with(text, function(file)
        local lines = file:lines()
        assert.equal("one", lines())
        file:close()
        raises("closed", function()
            for _ in lines do end
        end)
    end))
end)

describe("an iterator", function()
    helper.gates()

    local function closes(iterator)
        assert.is_true(iterator:close())
        local ok, err, code = iterator:close()
        assert.same({ nil, "closed", "CLOSED" }, { ok, err, code })
        raises("closed", function()
            for _ in iterator do end
        end)
    end

    it("of a file's lines is closed without the file", with("one\ntwo\n",
        function(file)
            local lines = file:lines()
            assert.equal("one", lines())
            closes(lines)
            assert.equal("two", file:read())
        end))

    it("of a connection is closed without the connection",
        pair.with(function(client, server)
            assert(client:send "one\ntwo\nthree")
            local lines = server:lines()
            assert.equal("one", lines())
            closes(lines)
            assert.equal("two", server:receive "*l")
            local chunks = server:chunks(2)
            local chunk = chunks()
            assert.is_true(#chunk == 1 or #chunk == 2)
            closes(chunks)
            assert.equal("three", chunk .. server:receive(5 - #chunk))
        end))
end)
