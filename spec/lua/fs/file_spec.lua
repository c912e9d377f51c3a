local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local license = helper.root .. "/LICENSE"
local text = io.open(license):read "*a"

describe("a file's methods", function()
    helper.gates()

    it("work in the main chunk", function()
        local file = assert(quoll.open(license))
        assert.equal(#text, file:size())
        assert.equal(text:match "^[^\n]*", file:read())
        assert.equal(text, file:pread(#text + 1, 0))
        assert.equal(0, file:seek "set")
        assert.equal(text, file:read "*a")
        assert.equal(#text, file:seek())
        file:close()
    end)

    it("return what they say and nothing more", function()
        local file = assert(quoll.open(license))
        assert.equal(1, select("#", file:read(1)))
        assert.equal(1, select("#", file:read "*l"))
        assert.equal(1, select("#", file:pread(1, 0)))
        assert.equal(1, select("#", file:read "*a"))
        assert.equal(1, select("#", file:read(1)))
        assert.equal(3, select("#", quoll.open "/no/such"))
        file:close()
    end)

    it("iterate over lines and chunks", function()
        tasks.run(function()
            local lines, chunks = {}, {}
            for line in assert(quoll.open(license)):lines() do
                lines[#lines + 1] = line .. "\n"
            end
            for chunk in assert(quoll.open(license, "rd")):chunks(100) do
                chunks[#chunks + 1] = chunk
            end
            assert.equal(text, table.concat(lines))
            assert.equal(text, table.concat(chunks))
            assert.equal(math.ceil(#text / 100), #chunks)
        end)
    end)

    it("give chunks of 64 KiB by default", function()
        local path = tasks.file(("x"):rep(100000))
        finally(function() os.remove(path) end)
        tasks.run(function()
            local chunks = assert(quoll.open(path)):chunks()
            assert.same({ 65536, 34464 }, { #chunks(), #chunks() })
            assert.is_nil(chunks())
        end)
    end)

    it("check chunks' size when they are called", function()
        local file = assert(quoll.open(license))
        for _, n in ipairs { 0, -1, 1.5, "x" } do
            local ok, err = pcall(function()
                local chunks = file:chunks(n)
                return chunks()
            end)
            assert.is_false(ok)
            assert.matches("file_spec.lua:%d+: bad argument 'n' to 'chunks'",
                err)
        end
        file:close()
    end)
end)
