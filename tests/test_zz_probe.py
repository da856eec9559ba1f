import json, time
from tests.rounds import build, kept, ROLES
from tests.matrix import *
async def test_probe(app, town, client, owner):
    made=await build(owner, client, town)
    script=await kept(owner,'probe')
    out={}; t=time.time(); n=0; slow={}
    try:
        for op in operations(app):
            row={}
            for role in ROLES:
                try:
                    t1=time.time()
                    a=await ask(client, made, role, op); n+=1
                    slow[op.name]=slow.get(op.name,0)+time.time()-t1
                    row[role]=[outcome(op,a), a.status_code, code_of(a), '' if a.status_code<400 else a.text[:300]]
                except Exception as e:
                    row[role]=['CRASH',0,'',repr(e)[:300]]
                if not op.is_look and row[role][1]<400: await owner.execute(script)
            out[op.name]=row
    finally:
        await owner.execute('drop schema probe cascade')
        with open('/tmp/probe.json','w') as f: json.dump(out, f, ensure_ascii=False, indent=0)
        print('calls',n,time.time()-t, sorted(slow.items(), key=lambda x:-x[1])[:25], sum(slow.values()))
