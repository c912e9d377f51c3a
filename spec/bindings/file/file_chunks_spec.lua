local helper = require "spec.helper"
local files = require "spec.support.files"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

local BLOCK, SIZE = 256 * 1024, 1500 * 1000
local data = files.bytes(SIZE)
local path

local function open(mode)
    return assert(quoll.open(path, mode))
end

local function collect(chunks)
    local parts = {}
    for chunk in chunks do
        parts[#parts + 1] = chunk
    end
    return table.concat(parts), parts
end

-- Waits for reads that were let go.
local function until_no_reads()
    while quoll.stats().files.reads > 0 do
        quoll.sleep(0.001)
    end
end

describe("file:chunks", function()
    helper.gates()

    setup(function()
        path = files.make(data)
    end)

    teardown(function()
        os.remove(path)
    end)

    for _, mode in ipairs { "r", "rd" } do
        it("gives the whole file in pieces, mode " .. mode, function()
            tasks.run(function()
                for _, n in ipairs { 4096, 100000, BLOCK, 700000, SIZE + 1 } do
                    files.evict(path)
                    local text, parts = collect(open(mode):chunks(n))
                    assert.is_true(text == data)
                    assert.equal(math.ceil(SIZE / n), #parts)
                end
            end)
        end)
    end

    it("works in the main chunk", function()
        local file = open "rd"
        assert.is_true(collect(file:chunks(65536)) == data)
        file:close()
    end)

    it("starts at the file's position, which stays", function()
        tasks.run(function()
            local file = open()
            local line = file:read "*L"
            assert.is_true(collect(file:chunks(1000)) == data:sub(#line + 1))
            assert.equal(#line, file:seek())
            assert.is_true(file:read "*a" == data:sub(#line + 1))
        end)
    end)

    it("may run several times side by side", function()
        tasks.run(function()
            local file = open "rd"
            local readers = {}
            for i = 1, 8 do
                readers[i] = quoll.spawn(function()
                    return collect(file:chunks(i * 5000)) == data
                end)
            end
            for i = 1, 8 do
                assert.is_true(readers[i]:wait())
            end
        end)
    end)

    it("keeps its file alive", function()
        tasks.run(function()
            local parts, chunks = {}, open("rd"):chunks(50000)
            for chunk in chunks do
                collectgarbage()
                parts[#parts + 1] = chunk
            end
            assert.is_true(table.concat(parts) == data)
        end)
    end)

    it("ends for good with nil, and goes on when the file has grown",
        function()
            tasks.run(function()
                local grown = files.make("one")
                local chunks = assert(quoll.open(grown)):chunks(10)
                assert.equal("one", chunks())
                assert.is_nil(chunks())
                assert.equal(1, select("#", chunks()))
                files.write(grown, "two", 3)
                assert.equal("two", chunks())
                os.remove(grown)
            end)
        end)

    it("is busy while another task waits for it", function()
        tasks.run(function()
            local chunks = open("rd"):chunks(BLOCK)
            local first = quoll.spawn(chunks)
            quoll.yield()
            local ok, err = pcall(chunks)
            assert.is_false(ok)
            assert.matches("file_chunks_spec.lua:%d+: busy reading", err)
            assert.equal(BLOCK, #first:wait())
        end)
    end)
end)

describe("a chunks iterator", function()
    helper.gates()

    setup(function()
        path = files.make(data)
    end)

    teardown(function()
        os.remove(path)
    end)

    it("is a handle", function()
        local file = open()
        local chunks = file:chunks(10)
        assert.matches("^chunks %(open%)", tostring(chunks))
        assert.equal(10, #chunks())
        assert.is_true(chunks:close())
        assert.same({ nil, "closed", "CLOSED" }, { chunks:close() })
        local ok, err = pcall(function() return chunks() end)
        assert.is_false(ok)
        assert.matches("file_chunks_spec.lua:%d+: closed", err)
        file:close()
    end)

    for _, closed in ipairs { "chunks", "file" } do
        it("wakes who waits when the " .. closed .. " is closed", function()
            tasks.run(function()
                local handles = { file = open "rd" }
                handles.chunks = handles.file:chunks(BLOCK)
                local reader = quoll.spawn(function()
                    return select(2, pcall(handles.chunks))
                end)
                quoll.yield()
                assert.is_true(quoll.stats().files.reads > 1)
                handles[closed]:close()
                assert.matches("closed$", reader:wait())
                assert.matches("^chunks %(closed%)",
                    tostring(handles.chunks))
                until_no_reads()
            end)
        end)
    end

    it("of a cancelled task is closed; its reads are orphans", function()
        tasks.run(function()
            local reader = quoll.spawn(function()
                return collect(open("rd"):chunks(BLOCK))
            end)
            tasks.settle()
            reader:cancel()
            assert.same({ nil, "cancelled", "CANCELLED" }, { reader:wait() })
            until_no_reads()
            assert.equal(0, quoll.stats().files.orphans)
        end)
    end)

    it("that a cancelled wait left has lost nothing", function()
        tasks.run(function()
            local chunks = open("rd"):chunks(BLOCK)
            local reader = quoll.spawn(chunks)
            tasks.settle()
            reader:cancel()
            reader:wait()
            assert.is_true(collect(chunks) == data)
        end)
    end)

    it("that is dropped is collected with its reads", function()
        tasks.run(function()
            local file = open "rd"
            for _ = 1, 10 do
                local chunks = file:chunks(BLOCK):disown()
                assert.equal(BLOCK, #chunks())
            end
            collectgarbage()
            collectgarbage()
            until_no_reads()
        end)
    end)

    it("of a closed file is refused", function()
        local file = open()
        file:close()
        local ok, err = pcall(function() return file:chunks(10) end)
        assert.is_false(ok)
        assert.matches("file_chunks_spec.lua:%d+: closed", err)
    end)
end)

describe("a failing chunks iterator", function()
    it("raises in the order of the file, and can be called again",
        function()
            local result = helper.script([[
                local inject = require "spec.support.scripted"
                local quoll = require "quoll"
                inject.ql_inject_aio_res(2, -5)
                quoll.run(function()
                    local chunks = quoll.open(arg[1], "rd"):chunks(262144)
                    print(#chunks())
                    quoll.sleep(0.01)
                    print(pcall(function() return chunks() end))
                    local n = 0
                    for chunk in chunks do n = n + #chunk end
                    print(n)
                end)
            ]], { path }, {})
            assert.equal(0, result.code, result.err)
            assert.matches("^262144\nfalse\t[^\n]*: input/output error\n"
                .. (SIZE - BLOCK) .. "\n$", result.out)
        end)

    setup(function()
        path = files.make(data)
    end)

    teardown(function()
        os.remove(path)
    end)
end)

describe("a hundred tasks with chunks", function()
    helper.gates()

    it("hold no more than their windows", function()
        local large = files.make(files.bytes(4 * files.MIB))
        local most = 0
        tasks.run(function()
            local left = 100
            for _ = 1, 100 do
                quoll.spawn(function()
                    local size = 0
                    for chunk in assert(quoll.open(large, "rd")):chunks(65536)
                    do
                        size = size + #chunk
                        most = math.max(most, quoll.stats().files.reads)
                    end
                    assert.equal(4 * files.MIB, size)
                    left = left - 1
                end)
            end
            while left > 0 do
                quoll.sleep(0.01)
            end
        end, 30)
        assert.is_true(most > 100 and most <= 400, most)
        os.remove(large)
    end)
end)
