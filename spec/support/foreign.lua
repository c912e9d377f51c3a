-- foreign.lua: every function that a public header declares, called from a
-- thread that is not the loop's, each in a process of its own.
local header = require "docs.site.header"

local foreign = {}

local INCLUDES = [[
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    const char *name;
    void (*call)(void);
} foreign_t;

]]

-- C: calls[i] runs on a thread of a forked child; a line a function tells how
-- that child has ended, behind what it has said itself.
local DRIVER = [[
static void *
on_thread(void *call)
{
    ((const foreign_t *) call)->call();
    return NULL;
}

static void
call_one(const foreign_t *call)
{
    struct rlimit none = {0, 0};
    pthread_t id;

    dup2(STDOUT_FILENO, STDERR_FILENO);
    setrlimit(RLIMIT_CORE, &none);
    alarm(10);
    pthread_create(&id, NULL, on_thread, (void *) call);
    pthread_join(id, NULL);
    _exit(0);
}

static void
call_all(void)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        int status = 0;
        pid_t pid;

        fflush(stdout);
        pid = fork();
        if (pid == 0) {
            call_one(&calls[i]);
        }
        waitpid(pid, &status, 0);
        printf("%s %d\n", calls[i].name,
               WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    }
}
]]

-- The parameters of a declaration: "ql_loop_t *", "int", ...
local function parameters(text)
    local list = text:match("%((.*)%)"):gsub("%s+", " ")
    local types = {}
    for one in (list:gsub("%b()", "@") .. ","):gmatch "%s*(.-),"  do
        types[#types + 1] = one:find "@" and "function"
            or (one:gsub("[%w_]+$", ""):gsub("%s+$", ""):gsub("^const ", ""))
    end
    return list ~= "void" and types or {}
end

-- What is passed for a type: what objects has for it; room, which is zeroed,
-- for any other pointer.
local function argument(type, objects)
    if objects[type] then
        return objects[type]
    elseif type == "char *" then
        return '(void *) "text"'
    end
    return type:find "%*$" and "(void *) room" or "0"
end

local function call(name, types, objects)
    local list = {}
    for _, type in ipairs(types) do
        if type ~= "..." then
            list[#list + 1] = argument(type, objects)
        end
    end
    return ("(void) %s(%s)"):format(name, table.concat(list, ", "))
end

local function functions(path)
    local file = assert(io.open(path))
    local parsed = header.parse(file:read "*a")
    file:close()
    local list = {}
    for _, section in ipairs(parsed.sections) do
        for _, entry in ipairs(section.entries) do
            if entry.kind == "function"
                and not entry.text:find "^static inline"
                and not entry.text:find "^extern"
            then
                list[#list + 1] = entry
            end
        end
    end
    return list
end

-- The names of the functions that the header at path calls any thread's.
function foreign.allowed(path)
    local names = {}
    for _, entry in ipairs(functions(path)) do
        if (entry.words or ""):find "[Aa]ny%s+thread[%.;:]" then
            names[#names + 1] = entry.name
        end
    end
    table.sort(names)
    return names
end

-- C source: call_all() and the calls of all others. objects: type ->
-- expression; name -> objects of its own, or false: it is left out;
-- more: { { name, C expression }, ... }, to be called too.
function foreign.source(path, objects, more)
    local allowed = {}
    for _, name in ipairs(foreign.allowed(path)) do
        allowed[name] = true
    end
    local bodies, rows = {}, {}
    local function add(name, expression)
        bodies[#bodies + 1] = ("static void\ncall_%d(void)\n{\n    %s;\n}\n")
            :format(#bodies + 1, expression)
        rows[#rows + 1] = ('    {"%s", call_%d},'):format(name, #bodies)
    end
    for _, entry in ipairs(functions(path)) do
        if not allowed[entry.name] and objects[entry.name] ~= false then
            add(entry.name, call(entry.name, parameters(entry.text),
                objects[entry.name] or objects))
        end
    end
    for _, one in ipairs(more or {}) do
        add(one[1], one[2])
    end
    return INCLUDES .. table.concat(bodies) .. "static const foreign_t calls[]"
        .. " = {\n" .. table.concat(rows, "\n") .. "\n};\n\n" .. DRIVER
end

local SAYS = "^quoll: misuse: ([%w_]+): called from a thread that is not the "
    .. "loop's; there only ql_notify%(%) and ql_post_from_thread%(%) may be$"
local SIGABRT = 6

-- Of what the program wrote: how many calls ended as they should, named as
-- they are called; and those that did not, with how they ended.
function foreign.judge(out)
    local good, bad, named = 0, {}, nil
    for line in out:gmatch "[^\n]+" do
        local name, signal = line:match "^([%w_%.]+) (%d+)$"
        if not name then
            named = line:match(SAYS) or named or line
        else
            if tonumber(signal) == SIGABRT
                and (named == name or name:find("%.") and named)
            then
                good = good + 1
            else
                bad[#bad + 1] = ("%s: signal %s, %s"):format(name, signal,
                    named or "nothing said")
            end
            named = nil
        end
    end
    return good, bad
end

return foreign
