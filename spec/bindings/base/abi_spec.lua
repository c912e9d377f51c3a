local compiled = require "spec.support.compiled"
local helper = require "spec.helper"

local version = helper.ffi.string(helper.C.ql_version())
local abi = helper.C.ql_abi()

-- A module that does nothing; `lines` come before quoll_lua.h.
local function source(lines, opening)
    return ([[
        #include <quoll.h>
        %s
        #include <quoll_lua.h>
        int luaopen_it(lua_State *L);
        int
        luaopen_it(lua_State *L)
        {
            %s
            lua_pushliteral(L, "loaded");
            return 1;
        }
    ]]):format(lines, opening)
end

describe("a module in C", function()
    local dir

    before_each(function()
        dir = compiled.folder()
    end)

    after_each(function()
        compiled.remove(dir)
    end)

    local function loaded(script)
        local result = compiled.run(dir, script or [[
            print(select(2, pcall(require, "it")))
            print(type(require "quoll".sleep))
        ]])
        assert.equal("", result.err)
        assert.equal(0, result.code)
        return result.out
    end

    it("opens with the quoll that it was compiled for", function()
        compiled.module(dir, "it", source("", "ql_lua_open(L);"))
        assert.equal("loaded\nfunction\n", loaded())
    end)

    it("raises with both versions when it was compiled for another one",
        function()
            compiled.module(dir, "it", source([[
                #undef QL_ABI
                #define QL_ABI 99
                #undef QL_VERSION
                #define QL_VERSION "9.8.7"
            ]], "ql_lua_open(L);"))
            assert.equal(("it was compiled for quoll 9.8.7 (ABI 99), and quoll"
                .. " %s (ABI %d) is loaded: compile it again\nfunction\n")
                :format(version, abi), loaded())
        end)

    it("is refused beside a second library of quoll", function()
        compiled.module(dir, "it", source("", [[
            static const struct { int abi; const char *version; } other
                = {99, "9.8.7"};

            lua_pushlightuserdata(L, (void *) (uintptr_t) &other);
            lua_setfield(L, LUA_REGISTRYINDEX, "quoll.library");
        ]]))
        local out = loaded [[
            require "it"
            print(select(2, pcall(require, "quoll.core")))
        ]]
        assert.equal(("two libraries of quoll meet in one Lua state: 9.8.7 "
            .. "(ABI 99) is there, %s (ABI %d) was loaded beside it\n")
            :format(version, abi), out)
    end)
end)
