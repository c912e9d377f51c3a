local helper = require "spec.helper"
local calls = require "spec.support.calls"
local site = require "spec.support.site"
local quoll = require "quoll"
local files = require "quoll.http.static.files"

describe("quoll.http.static.files", function()
    helper.gates()

    local function make(dir, opts)
        opts = opts or {}
        return files.new(dir, { small = opts.small or 1000, memory = 1e6,
            entries = opts.entries or 100, open = opts.open or 10,
            valid = opts.valid or 0 })
    end

    -- fn in a task of its own, at whose end files are let go.
    local function request(fn, ...)
        quoll.sleep(1e-5) -- another turn
        return quoll.spawn(fn, ...):wait(10)
    end

    local function get(store, name)
        return request(function()
            local entry, file = store:get(name)
            return entry, entry and (entry.bytes
                and entry.bytes:sub(1, 10) or file:pread(10, 0))
        end)
    end

    -- Once its times tell every change.
    local function settle(store, name)
        local entry
        repeat
            entry = get(store, name)
            quoll.yield()
        until entry.settled
        return entry
    end

    local function live()
        return quoll.stats().files.live
    end

    it("keeps what has not changed", site.with(function(dir)
        local store = make(dir)
        for _, name in ipairs { "digits.txt", "large.bin" } do
            local entry = settle(store, name)
            assert.equal(entry, get(store, name))
            assert.equal(entry, get(store, name))
        end
        assert.equal(1, live())
    end))

    it("sees another file, and a change with the same times",
        site.with(function(dir)
            local store = make(dir)
            for _, name in ipairs { "digits.txt", "large.bin" } do
                settle(store, name)
                os.execute(("cd %s && cp -p %s new && printf x | dd of=new "
                    .. "conv=notrunc status=none && touch -r %s new && "
                    .. "mv new %s"):format(dir, name, name, name))
                assert.equal("x", select(2, get(store, name)):sub(1, 1))
                settle(store, name)
                os.execute(("cd %s && printf y | dd of=%s conv=notrunc "
                    .. "status=none && touch -d @1000000000 %s"):format(dir,
                    name, name))
                assert.equal("y", select(2, get(store, name)):sub(1, 1))
            end
        end))

    it("looks again after so many seconds", site.with(function(dir)
        local store = make(dir, { valid = 1000 })
        settle(store, "digits.txt")
        settle(store, "large.bin")
        os.execute("rm " .. dir .. "/digits.txt " .. dir .. "/large.bin")
        local hits = quoll.stats().files
        local small, large = get(store, "digits.txt"), get(store, "large.bin")
        assert.equal("0123456789", small.bytes)
        assert.truthy(large)
        assert.equal(hits.open_cached, quoll.stats().files.open_cached)
        store.valid = 0
        assert.is_nil(get(store, "digits.txt"))
        assert.equal("ENOENT", select(2, request(store.get, store,
            "large.bin")))
    end))

    it("closes what it drops when nobody uses it any more",
        site.with(function(dir)
            local store = make(dir, { open = 2 })
            settle(store, "large.bin")
            request(function()
                local _, file = store:get "large.bin"
                calls.write(dir .. "/large.bin", site.text(5000))
                request(function()
                    local _, newer = store:get "large.bin"
                    assert.not_equal(file, newer)
                end)
                assert.equal("0000001\n", file:pread(8, 0))
            end)
            settle(store, "large.bin")
            assert.equal(1, live())
            store.opened:turn()
            store.opened:turn()
            assert.equal(0, live())
        end))

    it("keeps no more open than it may", site.with(function(dir)
        local store = make(dir, { small = 0, open = 4 })
        for i = 1, 20 do
            calls.write(dir .. "/f" .. i, "x")
        end
        for i = 1, 20 do
            settle(store, "f" .. i)
        end
        assert.truthy(live() <= 4)
        store = make(dir, { small = 0, open = 0 })
        settle(store, "f1")
        assert.truthy(live() <= 4)
        assert.equal(0, store.opened.count)
    end))

    it("lets go of what nobody asks for", site.with(function(dir)
        local store = make(dir)
        settle(store, "large.bin")
        store.turned = store.turned - 61
        get(store, "digits.txt")
        store.turned = store.turned - 61
        get(store, "digits.txt")
        assert.equal(0, live())
    end))

    it("serves what is being written", site.with(function(dir)
        local store = make(dir)
        for i = 1, 50 do
            calls.write(dir .. "/digits.txt", ("x"):rep(i))
            local entry, bytes = get(store, "digits.txt")
            assert.equal(("x"):rep(math.min(i, 10)), bytes)
            assert.equal(i, entry.size)
        end
    end))

    it("tells why there is none", site.with(function(dir)
        local store = make(dir)
        for name, expected in pairs { none = "ENOENT", sub = "EISDIR",
            ["out.txt"] = "EXDEV", pipe = "EINVAL", ["a/b"] = "ENOENT",
            ["digits.txt/x"] = "ENOTDIR", [("x"):rep(300)] = "ENAMETOOLONG" }
        do
            local entry, code, err = request(store.get, store, name)
            assert.is_nil(entry)
            assert.equal(expected, code)
            assert.matches(": ", err)
        end
    end))
end)
