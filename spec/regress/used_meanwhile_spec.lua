-- The collector may run while a method makes a string of a handle's bytes, and
-- a finaliser may then use the very same handle.
local helper = require "spec.helper"
local folders = require "spec.support.folders"
local tasks = require "spec.support.tasks"

-- during(finaliser, fn, ...): fn, whose first string runs the finaliser.
-- met(code): the finaliser's own use of the handle failed with this CODE.
local PRELUDE = [[
    jit.off()
    local quoll = require "quoll"
    local ROUNDS, codes = 50, {}
    local function met(ok, value, _, code)
        codes[code or tostring(ok and value)] = true
    end
    local function during(finaliser, fn, ...)
        collectgarbage()
        collectgarbage "stop"
        getmetatable(newproxy(true)).__gc = finaliser
        collectgarbage("setpause", 0)
        collectgarbage("setstepmul", 100000)
        collectgarbage "restart"
        return fn(...)
    end
    local function finish()
        for _, code in ipairs { "BUSY", "raised", "0" } do
            if codes[code] then
                print(code)
                codes[code] = nil
            end
        end
        assert(not next(codes), next(codes))
    end
]]

local function prints(expected, body, path)
    local result = helper.script(PRELUDE .. body, { path }, { timeout = 30 })
    assert.same({ expected, "" }, { result.out, result.err })
end

local function with_file(fn)
    return function()
        local path = tasks.file(("a"):rep(20000) .. ("b"):rep(60000))
        finally(function() os.remove(path) end)
        fn(path)
    end
end

describe("a handle used by a finaliser in the midst of its results", function()
    for how, use in pairs {
        seek = [[file:seek("set", 20000)]],
        write = [[file:write "b"]],
        read = [[file:read(20000)]],
    } do
        it("is busy: a file, " .. how, with_file(function(path)
            prints("BUSY\n", [[
                local want = ("a"):rep(1000)
                quoll.run(function()
                    for _ = 1, ROUNDS do
                        local file = quoll.open(arg[1], "r+")
                        local function use()
                            return ]] .. use .. [[

                        end
                        local got = during(function()
                            met(pcall(use))
                            pcall(file.seek, file, "set", 20000)
                            pcall(file.read, file, 20000)
                        end, file.read, file, 1000)
                        assert(got == want)
                        assert(file:read(1000) == want)
                        file:close()
                    end
                end)
                finish()
            ]], path)
        end))
    end

    it("is busy: a file's chunks", with_file(function(path)
        prints("BUSY\n", [[
            quoll.run(function()
                for _ = 1, ROUNDS do
                    local file = quoll.open(arg[1], "rd")
                    local chunks = file:chunks(20000)
                    met(during(function()
                        for _ = 1, 4 do
                            local ok, err = pcall(chunks)
                            met(ok, nil, nil, err:match "busy" and "BUSY")
                        end
                    end, function()
                        assert(chunks() == ("a"):rep(20000))
                        return true, nil, nil, "BUSY"
                    end))
                    assert(chunks() == ("b"):rep(20000))
                    file:close()
                end
            end)
            finish()
        ]], path)
    end))

    it("is busy: a connection", function()
        prints("BUSY\n", [[
            quoll.run(function()
                local listener = assert(quoll.listen "127.0.0.1:0")
                for _ = 1, ROUNDS do
                    local client = quoll.connect(listener:address())
                    local server = listener:accept()
                    server:send(("a"):rep(2000) .. ("b"):rep(2000)
                        .. ("c"):rep(50000))
                    client:peek(4000)
                    local got = during(function()
                        local ok, _, _, _, code = pcall(client.receive,
                            client, 1)
                        met(ok, nil, nil, code)
                        pcall(client.receive, client, 50000)
                    end, client.receive, client, 2000)
                    assert(got == ("a"):rep(2000))
                    assert(client:receive(2000) == ("b"):rep(2000))
                    client:close()
                    server:close()
                end
            end)
            finish()
        ]])
    end)

    it("is busy: a folder", function()
        local dir = folders.make()
        finally(function() folders.remove(dir) end)
        folders.sh(dir, "touch $(seq 100)")
        prints("BUSY\n", [[
            quoll.run(function()
                for _ = 1, ROUNDS do
                    local entries = quoll.fs.readdir(arg[1])
                    local seen = {}
                    during(function()
                        local ok, err = pcall(entries)
                        met(ok, nil, nil, err:match "busy" and "BUSY")
                    end, function()
                        for name in entries do
                            assert(not seen[name])
                            seen[name] = true
                        end
                    end)
                    assert(seen["1"] and seen["100"])
                end
            end)
            finish()
        ]], dir)
    end)
end)

describe("a finaliser that raises while bytes become a string", function()
    local BODY = [[
        local function rounds()
            for _ = 1, ROUNDS do
                local file = quoll.open(arg[1], "r+")
                local _, why = during(function()
                    error("raised", 0)
                end, pcall, file.read, file, 1000)
                met(true, why)
                met(true, file:seek())
                assert(file:read(1000) == ("a"):rep(1000))
                file:close()
            end
        end
    ]]

    it("leaves a file that can be read, in a task", with_file(function(path)
        prints("raised\n0\n", BODY .. [[
            quoll.run(rounds)
            finish()
        ]], path)
    end))

    it("leaves a file that can be read, in the main chunk",
        with_file(function(path)
            prints("raised\n0\n", BODY .. [[
                rounds()
                finish()
            ]], path)
        end))
end)
