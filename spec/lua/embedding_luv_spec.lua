-- quoll as a part of luv's loop: its descriptor and its timeout are all that
-- luv is told.
local helper = require "spec.helper"
local flood = require "spec.support.flood"
local quoll = require "quoll"
local uv = require "luv"

-- With its first stream luv opens descriptors that it keeps.
uv.new_tcp():close()
uv.run()

-- Two handles of luv's that turn quoll's loop; returns a function that closes
-- them.
local function embed()
    local poll = uv.new_poll(assert(quoll.fd()))
    local timer = uv.new_timer()
    local function turn()
        local wait = assert(quoll.step())
        timer:stop()
        if wait < math.huge then
            timer:start(math.ceil(wait * 1000), 0, turn)
        end
    end
    poll:start("r", turn)
    turn()
    return function()
        poll:close()
        timer:close()
    end
end

-- luv's loop until close() is called, or for too long.
local function run(fn)
    local late
    local limit = uv.new_timer()
    local close = embed()
    limit:start(helper.seconds(10) * 1000, 0, function()
        late = true
        uv.stop()
    end)
    fn(function()
        limit:close()
        close()
    end)
    uv.run()
    assert.is_nil(late)
end

describe("quoll under luv", function()
    helper.gates()

    it("serves luv's clients", function()
        local got = ""
        run(function(close)
            local listener = quoll.listen("127.0.0.1:0")
            local server = quoll.spawn(listener.serve, listener, function(conn)
                for line in conn:lines() do
                    conn:send { line:upper(), "\n" }
                end
            end)
            local client = uv.new_tcp()
            local port = tonumber(listener:address():match ":(%d+)")
            client:connect("127.0.0.1", port, function(err)
                assert(not err, err)
                client:write("one\ntwo\n")
                client:read_start(function(_, chunk)
                    got = got .. (chunk or "")
                    if got == "ONE\nTWO\n" then
                        client:close()
                        server:cancel()
                        listener:close()
                        close()
                    end
                end)
            end)
        end)
        assert.equal("ONE\nTWO\n", got)
        quoll.run()
    end)

    it("is woken by what callbacks of luv's do to it", function()
        local order = {}
        run(function(close)
            local ready = quoll.sync.event()
            quoll.spawn(function()
                ready:wait()
                order[#order + 1] = "woken"
                close()
            end)
            local timer = uv.new_timer()
            timer:start(5, 0, function()
                timer:close()
                quoll.spawn(function()
                    order[#order + 1] = "spawned"
                    ready:set()
                end)
            end)
        end)
        assert.same({ "spawned", "woken" }, order)
    end)

    it("keeps its timers, and luv its own", function()
        local order = {}
        run(function(close)
            quoll.spawn(function()
                local timer = uv.new_timer()
                quoll.sleep(0.002)
                order[#order + 1] = "quoll"
                timer:start(2, 0, function()
                    order[#order + 1] = "luv"
                    timer:close()
                    quoll.timer.after(0.002, function()
                        order[#order + 1] = "quoll again"
                        close()
                    end)
                end)
            end)
        end)
        assert.same({ "quoll", "luv", "quoll again" }, order)
    end)

    it("keeps timers that were armed while a callback waited", function()
        local order = {}
        run(function(close)
            local timer = uv.new_timer()
            timer:start(2, 0, function()
                timer:close()
                quoll.spawn(function()
                    quoll.sleep(0.02)
                    order[#order + 1] = "task"
                    close()
                end)
                quoll.sleep(0.002) -- nobody else runs meanwhile but quoll
                order[#order + 1] = "callback"
            end)
        end)
        assert.same({ "callback", "task" }, order)
    end)

    it("is woken when its epoll set has been built anew", function()
        local fd, woken = quoll.fd(), nil
        run(function(close)
            quoll.spawn(function()
                flood()
                local timer = uv.new_timer()
                timer:start(1, 0, function()
                    timer:close()
                    quoll.spawn(function()
                        woken = true
                        close()
                    end)
                end)
            end)
        end)
        assert.is_true(woken)
        assert.equal(fd, quoll.fd())
    end)

    it("goes on by itself when luv's loop has ended first", function()
        local done
        run(function(close)
            quoll.spawn(function()
                quoll.sleep(0.002)
                close()
                quoll.sleep(0.002)
                done = true
            end)
        end)
        assert.is_nil(done)
        quoll.run()
        assert.is_true(done)
    end)

    it("leaves luv going when its own tasks have ended", function()
        local ran
        run(function(close)
            quoll.spawn(quoll.sleep, 0.001)
            local timer = uv.new_timer()
            timer:start(1, 1, function()
                if quoll.stats().tasks.live == 0 then
                    timer:close()
                    ran = true
                    close()
                end
            end)
        end)
        assert.is_true(ran)
    end)

    it("reads files, also those that a thread reads", function()
        local size
        run(function(close)
            quoll.spawn(function()
                local text = assert(quoll.fs.readfile("Makefile"))
                assert(quoll.fs.stat("Makefile").size == #text)
                size = #text
                close()
            end)
        end)
        assert.is_true(size > 0)
    end)

    it("logs what fails, and goes on", function()
        local result = helper.script [[
            local uv = require "luv"
            local quoll = require "quoll"
            local poll, timer = uv.new_poll(quoll.fd()), uv.new_timer()
            local function turn()
                local wait = quoll.step()
                timer:stop()
                if wait < math.huge then
                    timer:start(math.ceil(wait * 1000), 0, turn)
                end
            end
            poll:start("r", turn)
            quoll.spawn(error, "oops")
            quoll.timer.after(0.01, function()
                print "still there"
                poll:close()
                timer:close()
            end)
            turn()
            uv.run()
        ]]
        assert.equal("still there\n", result.out)
        assert.matches("oops", result.err)
        assert.equal(0, result.code)
    end)
end)
