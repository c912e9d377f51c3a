-- scripts/abi: what the built libraries are compared with.
local helper = require "spec.helper"

describe("the check of the binary interface", function()
    local dir
    if helper.build ~= "build" then
        pending "looks at build/ alone"
        return
    end

    local function abi(verb, script, folder)
        local pipe = assert(io.popen(("env -u LD_PRELOAD %s %s %s 2>&1; "
            .. "echo $?"):format(script or "scripts/abi", verb,
            folder or dir)))
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

    -- In a folder with this one's build and headers, whose last dump is of
    -- 0.0.9.
    describe("of another soname", function()
        local function run(verb)
            return abi(verb, dir .. "/copy/scripts/abi", "")
        end

        local function rename()
            os.execute(("sed -i \"s/soname='[^']*'/soname='it.so.9'/\" "
                .. "%s/copy/runtime/abi/*/*.abi"):format(dir))
        end

        before_each(function()
            assert.equal(0, os.execute(("mkdir -p %s/copy/runtime/abi/0.0.9 && "
                .. "cp %s/*.abi %s/copy/runtime/abi/0.0.9 && "
                .. "cp -r scripts %s/copy && cp runtime/quoll.h %s/copy/runtime"
                .. " && ln -s $PWD/build $PWD/bindings %s/copy")
                :gsub("%%s", dir)))
            rename()
        end)

        it("fails until the version has a dump of its own", function()
            local code, out = run "check"
            assert.equal(1, code)
            assert.matches("raise QL_VERSION with QL_ABI", out, 1, true)
            assert.equal(0, (run "dump"))
            assert.equal(0, (run "check"))
        end)

        it("fails where the version's dump is of the one before", function()
            assert.equal(0, (run "dump"))
            rename()
            local code, out = run "check"
            assert.equal(1, code)
            assert.matches("has no interface of libquoll-lua.so", out, 1, true)
        end)
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
