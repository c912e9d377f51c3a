-- scripts/abi: what the built libraries are compared with.
local helper = require "spec.helper"

describe("the check of the binary interface", function()
    local dir
    if helper.build ~= "build" then
        pending "looks at build/ alone"
        return
    end

    local function abi(verb)
        local pipe = assert(io.popen("env -u LD_PRELOAD scripts/abi " .. verb
            .. " " .. dir .. " 2>&1; echo $?"))
        local out, code = pipe:read("*a"):match "^(.-)(%d+)\n$"
        pipe:close()
        return tonumber(code), out
    end

    local function write(name, text)
        local file = assert(io.open(dir .. "/" .. name, "w"))
        file:write(text)
        file:close()
    end

    -- What the dump of libquoll says, by fn.
    local function dumped(fn)
        local path = dir .. "/libquoll.abi"
        local file = assert(io.open(path))
        local text = fn(file:read "*a")
        file:close()
        write("libquoll.abi", text)
    end

    before_each(function()
        dir = os.tmpname()
        os.remove(dir)
        assert.equal(0, (abi "dump"))
    end)

    after_each(function()
        os.execute("rm -r " .. dir)
    end)

    it("passes what has not changed", function()
        local code, out = abi "check"
        assert.equal(0, code, out)
        assert.equal("", out)
    end)

    it("catches a parameter that was removed", function()
        dumped(function(text)
            local changed, n = text:gsub("(<function%-decl name='ql_del_timer'"
                .. ".-<parameter type%-id='([^']+)' name='ev'/>\n)",
                "%1      <parameter type-id='%2' name='gone'/>\n", 1)
            assert.equal(1, n)
            return changed
        end)
        local code, out = abi "check"
        assert.equal(1, code)
        assert.matches("ql_del_timer", out, 1, true)
        assert.matches("parameter 3 .- was removed", out)
        assert.matches("never released: scripts/abi dump", out, 1, true)
        write("released", "")
        assert.matches("raise QL_ABI", select(2, abi "check"), 1, true)
        dumped(function(text)
            return (text:gsub("soname='[^']*'", "soname='libquoll.so.9'", 1))
        end)
        assert.equal(0, (abi "check"))
    end)

    it("leaves a release's dump as it is", function()
        assert.equal(0, (abi "release"))
        for _, verb in ipairs { "dump", "release" } do
            local code, out = abi(verb)
            assert.equal(1, code)
            assert.matches("is a release's, and stays as it is", out, 1, true)
        end
        assert.equal(0, (abi "check"))
    end)

    it("catches a struct that has grown", function()
        dumped(function(text)
            local changed, n = text:gsub("(<class%-decl name='ql_event_s'"
                .. " size%-in%-bits=')%d+'", "%1448'", 1)
            assert.equal(1, n)
            return changed
        end)
        local code, out = abi "check"
        assert.equal(1, code)
        assert.matches("ql_event_s", out, 1, true)
        assert.matches("size changed from 448 to 512", out, 1, true)
    end)

    it("passes a function that was added", function()
        dumped(function(text)
            local changed, symbols = text:gsub("    <elf%-symbol "
                .. "name='ql_del_timer'.-/>\n", "", 1)
            local functions
            changed, functions = changed:gsub("    <function%-decl "
                .. "name='ql_del_timer'.-</function%-decl>\n", "", 1)
            assert.equal(2, symbols + functions)
            return changed
        end)
        local code, out = abi "check"
        assert.equal(0, code, out)
    end)
end)
