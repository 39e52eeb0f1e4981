//! tmp
#![allow(clippy::all, clippy::unwrap_used, clippy::print_stdout)]
use qanda_core::ports::TokenCounter;
use qanda_ingest::*;
use std::sync::Arc;
struct W;
impl TokenCounter for W { fn count_tokens(&self, t:&str)->usize{ let p=t.split(|c:char|!c.is_alphanumeric()).filter(|w|!w.is_empty()).map(|w|w.len().div_ceil(6)).sum::<usize>(); p+t.chars().filter(|c|!c.is_alphanumeric()&&!c.is_whitespace()).count()} fn max_tokens(&self)->usize{256}}
fn main(){
  let small = std::env::var("SMALL").is_ok();
  for f in std::env::args().skip(1){
    let r=Recipe{counter:Arc::new(W),budget:250,embedder:"x".into()};
    let t=std::time::Instant::now();
    let p=r.prepare(&Found{location:f.clone(),path:f.clone()},&std::fs::read(&f).unwrap());
    let p=match p {Ok(p)=>p,Err(e)=>{println!("{f}: {e} {:?}",t.elapsed());continue}};
    if !small {println!("=== {f} {:?} {:?} {} {:?}",p.document.title,p.document.metadata,p.chunks.len(),t.elapsed());}
    for c in &p.chunks { let x=&p.document.text[c.span.start..c.span.end]; let n=W.count_tokens(x);
      if small { if n<=12 {println!("{f} {:?} {x:?}",c.headings)} } else if std::env::var("QUIET").is_err() {println!("--- {:?} {:?} {n}\n{x}",c.span,c.headings)} }
  }
}
