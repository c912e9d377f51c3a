local helper = require "spec.helper"
local files = require "spec.support.files"
local ffi, C, inject, errno =
    helper.ffi, helper.C, helper.inject, helper.errno
local forked, stat = helper.forked, files.stat

local BLOCK, KIB = 256 * 1024, files.KIB
local FOREVER = 2 ^ 52

-- A file of `size` known bytes and a stream over it from offset on.
local function opened(size, piece, opts)
    opts = opts or {}
    local loop = helper.loop(opts.settings, inject.ql_inject_new(nil))
    local path = opts.path or files.make(files.bytes(size))
    local file = files.open(loop, path, opts.direct)
    local s = C.ql_stream_create(file, piece, opts.offset or 0,
        opts.limit or FOREVER)
    assert(s ~= nil)
    return s, loop, path, file
end

local function close(s, path)
    local file = s.file
    C.ql_stream_free(s)
    C.ql_file_close(file)
    if path then
        os.remove(path)
    end
end

-- The next piece ("" at the end), or nil and errno.
local function next_piece(loop, s)
    local rc
    helper.run_until(loop, function()
        rc = C.ql_stream_attempt(s)
        return rc ~= C.NGX_AGAIN
    end)
    if rc == C.NGX_OK then
        return ffi.string(s.data, s.nbytes)
    end
    return nil, s.err
end

local function rest(loop, s)
    local pieces = {}
    repeat
        local piece = assert(next_piece(loop, s))
        pieces[#pieces + 1] = piece
    until piece == ""
    return table.concat(pieces), #pieces - 1
end

describe("a stream", function()
    local cases = {
        { 0, 100 }, { 1, 100 }, { BLOCK, BLOCK }, { BLOCK + 1, BLOCK },
        { 5 * BLOCK, 4 * KIB }, { 5 * BLOCK + 77, 4 * KIB },
        { 3 * BLOCK, 100000 }, { 4 * BLOCK, 600 * KIB },
    }
    for _, direct in ipairs { false, true } do
        for _, case in ipairs(cases) do
            local size, piece = unpack(case)
            it(("gives %d bytes in pieces of %d%s"):format(size, piece,
                direct and ", direct" or ""), forked(function()
                    local s, loop, path = opened(size, piece,
                        { direct = direct })
                    local data, count = rest(loop, s)
                    assert.is_true(data == files.bytes(size))
                    assert.equal(math.ceil(size / piece), count)
                    assert.equal("", next_piece(loop, s))
                    close(s, path)
                end))
        end

        it("has a beginning and an end" .. (direct and ", direct" or ""),
            forked(function()
                local s, loop, path = opened(3 * BLOCK, 10000,
                    { direct = direct, offset = 777, limit = 2 * BLOCK + 9 })
                local data = rest(loop, s)
                assert.is_true(data
                    == files.bytes(3 * BLOCK):sub(778, 2 * BLOCK + 9))
                close(s, path)
            end))
    end

    it("of /proc, whose sizes say 0, is read to its end", forked(function()
        local loop = helper.loop()
        local file = files.open(loop, "/proc/filesystems")
        local s = C.ql_stream_create(file, 100, 0, FOREVER)
        local plain = io.open("/proc/filesystems")
        assert.equal(plain:read("*a"), (rest(loop, s)))
        plain:close()
        close(s, "/no/such")
    end))

    it("that cannot be is refused", forked(function()
        local loop = helper.loop({}, inject.ql_inject_new(nil))
        local file = files.open(loop, "/proc/version")
        for _, case in ipairs { { 0, 0, 1 }, { 1, -1, 1 }, { 1, 2, 1 } } do
            assert.is_true(C.ql_stream_create(file, unpack(case)) == nil)
            assert.equal(errno.EINVAL, ffi.errno())
        end
        inject.ql_inject_fail("malloc", -1, 1, 1, errno.ENOMEM)
        assert.is_true(C.ql_stream_create(file, 1, 0, 1) == nil)
        assert.equal(errno.ENOMEM, ffi.errno())
        C.ql_file_close(file)
    end))
end)

describe("a stream's window", function()
    it("opens when the disk has to be waited for, up to four blocks",
        forked(function()
            local s, loop, path = opened(9 * BLOCK, BLOCK, { direct = true })
            assert.equal(0, stat(loop, "reads_live"))
            for _ = 1, 9 do
                assert.equal(BLOCK, #next_piece(loop, s))
                assert.is_true(stat(loop, "reads_live") <= 4)
            end
            assert.equal(9, stat(loop, "aio_submitted"))
            assert.equal("", next_piece(loop, s))
            assert.equal(9, stat(loop, "read_direct"))
            close(s, path)
        end))

    it("has two blocks when they are large", forked(function()
        local s, loop, path = opened(5 * 1024 * KIB, 1024 * KIB,
            { direct = true })
        assert.equal(C.NGX_AGAIN, C.ql_stream_attempt(s))
        assert.equal(2, stat(loop, "reads_live"))
        rest(loop, s)
        close(s, path)
    end))

    it("stays shut while the page cache answers; pieces are cut from blocks",
        forked(function()
            local s, loop, path = opened(4 * BLOCK, 4 * KIB)
            files.warm(path)
            for _ = 1, 4 * BLOCK / (4 * KIB) do
                assert.equal(C.NGX_OK, C.ql_stream_attempt(s))
                assert.equal(1, stat(loop, "reads_live"))
            end
            assert.equal(4 * BLOCK / (64 * KIB), files.calls("preadv2"))
            close(s, path)
        end))

    it("shuts again when the cache does", forked(function()
        local s, loop, path = opened(8 * BLOCK, BLOCK)
        files.warm(path)
        inject.ql_inject_fail("preadv2", -1, 1, 1, errno.EAGAIN)
        assert.equal(BLOCK, #next_piece(loop, s))
        for _ = 2, 8 do
            assert.equal(C.NGX_OK, C.ql_stream_attempt(s))
        end
        assert.equal(1, stat(loop, "reads_live"))
        assert.equal(1, stat(loop, "read_pool"))
        close(s, path)
    end))

    for error = 0, 1 do
        it("goes on where the queue is full, overflow_error " .. error,
            forked(function()
                local s, loop, path = opened(6 * BLOCK, BLOCK,
                    { direct = true, settings = { aio_queue = 1,
                        overflow_error = error } })
                C.ql_aio_init(loop)
                loop.aio.blocked = true
                assert.equal(C.NGX_AGAIN, C.ql_stream_attempt(s))
                loop.aio.blocked = false
                assert.is_true(rest(loop, s) == files.bytes(6 * BLOCK))
                close(s, path)
            end))
    end
end)

describe("a stream over a file", function()
    it("that grew goes on behind its end", forked(function()
        local s, loop, path = opened(100, 1000)
        assert.equal(100, #next_piece(loop, s))
        assert.equal("", next_piece(loop, s))
        files.write(path, "more", 100)
        assert.equal("more", next_piece(loop, s))
        assert.equal("", next_piece(loop, s))
        close(s, path)
    end))

    for _, direct in ipairs { false, true } do
        it("that grew since its last block was read gives whole pieces"
            .. (direct and ", direct" or ""), forked(function()
                local size = BLOCK + 1500
                local s, loop, path = opened(size, 1024, { direct = direct })
                local first = next_piece(loop, s)
                for _ = 2, BLOCK / 1024 + 1 do -- the last block is read
                    first = first .. next_piece(loop, s)
                end
                files.write(path, ("x"):rep(600), size)
                assert.is_true(first .. rest(loop, s)
                    == files.bytes(size) .. ("x"):rep(600))
                close(s, path)
            end))
    end

    it("that was cut meanwhile ends there", forked(function()
        local s, loop, path = opened(6 * BLOCK, 4096, { direct = true })
        assert.equal(4096, #next_piece(loop, s))
        helper.run_until(loop, function()
            return stat(loop, "aio_in_flight") == 0
        end)
        files.truncate(path, 5000)
        local data = rest(loop, s)
        assert.is_true(#data <= 4 * BLOCK - 4096)
        assert.is_true(data == files.bytes(4 * BLOCK):sub(4097, 4096 + #data))
        close(s, path)
    end))

    it("whose size lies ends where its bytes do", forked(function()
        local s, loop, path = opened(1000, 300)
        inject.ql_inject_result("preadv2", -1, 2, 0, 0)
        assert.equal(1000, #rest(loop, s))
        close(s, path)
    end))
end)

describe("a stream's error", function()
    it("comes at its place, and the piece can be tried again",
        forked(function()
            local s, loop, path = opened(4 * BLOCK, BLOCK, { direct = true })
            inject.ql_inject_aio_res(2, -errno.EIO)
            local data = files.bytes(4 * BLOCK)
            assert.is_true(next_piece(loop, s) == data:sub(1, BLOCK))
            helper.run_until(loop, function()
                return stat(loop, "aio_in_flight") == 0
            end)
            assert.same({ nil, errno.EIO }, { next_piece(loop, s) })
            assert.is_true(rest(loop, s) == data:sub(BLOCK + 1))
            close(s, path)
        end))

    it("may be lack of memory, at any point", forked(function()
        local all = files.bytes(6 * BLOCK)
        local path = files.make(all)
        for _, call in ipairs { "malloc", "memalign", "fstat" } do
            for n = 1, 6 do
                local s, loop = opened(#all, BLOCK,
                    { direct = true, path = path })
                inject.ql_inject_fail(call, -1, n, n, errno.ENOMEM)
                local data, tries = "", 0
                while #data < #all do
                    local piece, err = next_piece(loop, s)
                    assert.is_true(piece ~= nil or err == errno.ENOMEM)
                    data, tries = data .. (piece or ""), tries + 1
                    assert.is_true(tries < 10)
                end
                assert.is_true(data == all)
                close(s)
                helper.finish(loop)
            end
        end
        os.remove(path)
    end))
end)

describe("a stream that is let go", function()
    it("with reads in flight leaves orphans, which end", forked(function()
        local s, loop, path = opened(8 * BLOCK, BLOCK, { direct = true })
        s.event.handler = helper.handler(function() error("called") end)
        assert.equal(C.NGX_AGAIN, C.ql_stream_attempt(s))
        C.ql_aio_submit(loop)
        assert.equal(4, stat(loop, "aio_in_flight"))
        close(s, path)
        assert.equal(4, stat(loop, "orphans"))
        helper.run_until(loop, function()
            return stat(loop, "orphans") + stat(loop, "files_live") == 0
        end)
    end))

    it("holds its file until then", forked(function()
        local s, loop, path, file = opened(2 * BLOCK, BLOCK)
        C.ql_file_close(file)
        assert.equal(1, stat(loop, "files_live"))
        assert.is_true(rest(loop, s) == files.bytes(2 * BLOCK))
        C.ql_stream_free(s)
        assert.equal(0, stat(loop, "files_live"))
        os.remove(path)
    end))

    it("in its own handler is touched no more", forked(function()
        local s, loop, path = opened(4 * BLOCK, BLOCK, { direct = true })
        local done = false
        s.event.handler = helper.handler(function()
            close(s, path)
            done = true
        end)
        assert.equal(C.NGX_AGAIN, C.ql_stream_attempt(s))
        helper.run_until(loop, function()
            return done and stat(loop, "reads_live") == 0
        end)
    end))
end)
