/**
 * Sentences of eight meanings in eight languages, each said in two ways; written for this project. They show
 * which languages a model relates, and what its cosines of unrelated texts are.
 */

/** A sentence, and the same said otherwise. */
export type TwoWordings = readonly [first: string, second: string];

/** Sentences by language; the same index means the same meaning. */
export const SENTENCES: Readonly<Record<string, readonly TwoWordings[]>> = {
  English: [
    ['The train was an hour late.', 'Our railway journey began sixty minutes behind schedule.'],
    ['I forgot my password.', 'How can I get back into my account without the secret code?'],
    ['The soup is much too salty.', 'Somebody put too much salt into this broth.'],
    ['The shop closes at six.', 'After 6 pm you cannot buy anything here.'],
    ['The phone needs charging twice a day.', "My mobile's battery is empty before the evening."],
    ['These shoes are too small for me.', 'I need this pair of boots one size larger.'],
    ['It has been raining all week.', 'Seven days of wet weather without a break.'],
    ['I have had a headache since yesterday.', 'My head has hurt for a whole day.'],
  ],
  German: [
    ['Der Zug hatte eine Stunde Verspätung.', 'Unsere Bahnfahrt begann sechzig Minuten zu spät.'],
    ['Ich habe mein Passwort vergessen.', 'Wie komme ich ohne Kennwort wieder in mein Konto?'],
    ['Die Suppe ist viel zu salzig.', 'Jemand hat zu viel Salz in die Brühe getan.'],
    ['Das Geschäft schließt um sechs.', 'Nach 18 Uhr kann man hier nichts mehr kaufen.'],
    ['Das Telefon muss zweimal am Tag geladen werden.', 'Der Akku meines Handys ist vor dem Abend leer.'],
    ['Diese Schuhe sind mir zu klein.', 'Ich brauche die Stiefel eine Nummer größer.'],
    ['Es regnet schon die ganze Woche.', 'Sieben Tage nasses Wetter ohne Pause.'],
    ['Ich habe seit gestern Kopfschmerzen.', 'Mir tut schon einen ganzen Tag der Kopf weh.'],
  ],
  Spanish: [
    ['El tren llegó una hora tarde.', 'Nuestro viaje en ferrocarril empezó con sesenta minutos de retraso.'],
    ['He olvidado mi contraseña.', '¿Cómo vuelvo a entrar en mi cuenta sin la clave?'],
    ['La sopa está demasiado salada.', 'Alguien ha echado demasiada sal en este caldo.'],
    ['La tienda cierra a las seis.', 'Después de las 18 horas no se puede comprar nada aquí.'],
    ['Hay que cargar el teléfono dos veces al día.', 'La batería de mi móvil se agota antes de la noche.'],
    ['Estos zapatos me quedan pequeños.', 'Necesito estas botas una talla más grandes.'],
    ['Lleva toda la semana lloviendo.', 'Siete días de tiempo húmedo sin parar.'],
    ['Me duele la cabeza desde ayer.', 'Llevo un día entero con dolor de cabeza.'],
  ],
  Russian: [
    ['Поезд опоздал на час.', 'Наша поездка по железной дороге началась на шестьдесят минут позже.'],
    ['Я забыл свой пароль.', 'Как снова войти в учётную запись без секретного кода?'],
    ['Суп слишком солёный.', 'Кто-то положил в бульон слишком много соли.'],
    ['Магазин закрывается в шесть.', 'После 18 часов здесь ничего нельзя купить.'],
    ['Телефон нужно заряжать дважды в день.', 'Батарея моего мобильного садится до вечера.'],
    ['Эти туфли мне малы.', 'Мне нужны эти ботинки на размер больше.'],
    ['Всю неделю идёт дождь.', 'Семь дней сырой погоды без перерыва.'],
    ['У меня со вчерашнего дня болит голова.', 'Головная боль не проходит целые сутки.'],
  ],
  Arabic: [
    ['تأخر القطار ساعة كاملة.', 'بدأت رحلتنا بالسكة الحديد بعد ستين دقيقة من موعدها.'],
    ['نسيت كلمة المرور.', 'كيف أدخل إلى حسابي من دون الرمز السري؟'],
    ['الحساء مالح جدا.', 'وضع أحدهم ملحا كثيرا في هذا المرق.'],
    ['يغلق المتجر في السادسة.', 'بعد الساعة السادسة مساء لا يمكن شراء أي شيء هنا.'],
    ['يحتاج الهاتف إلى الشحن مرتين في اليوم.', 'تنفد بطارية جوالي قبل المساء.'],
    ['هذا الحذاء صغير علي.', 'أحتاج إلى مقاس أكبر من هذه الأحذية.'],
    ['المطر يهطل طوال الأسبوع.', 'سبعة أيام من الطقس الرطب بلا توقف.'],
    ['عندي صداع منذ أمس.', 'رأسي يؤلمني منذ يوم كامل.'],
  ],
  Hindi: [
    ['ट्रेन एक घंटा देर से आई।', 'हमारी रेल यात्रा साठ मिनट की देरी से शुरू हुई।'],
    ['मैं अपना पासवर्ड भूल गया।', 'गुप्त कोड के बिना मैं अपने खाते में फिर कैसे जाऊँ?'],
    ['सूप बहुत ज़्यादा नमकीन है।', 'किसी ने इस शोरबे में बहुत नमक डाल दिया।'],
    ['दुकान छह बजे बंद होती है।', 'शाम छह के बाद यहाँ कुछ नहीं ख़रीद सकते।'],
    ['फ़ोन को दिन में दो बार चार्ज करना पड़ता है।', 'मेरे मोबाइल की बैटरी शाम से पहले ख़त्म हो जाती है।'],
    ['ये जूते मेरे लिए छोटे हैं।', 'मुझे ये बूट एक नंबर बड़े चाहिए।'],
    ['पूरे हफ़्ते बारिश हो रही है।', 'सात दिन से लगातार भीगा मौसम है।'],
    ['कल से मेरे सिर में दर्द है।', 'पूरे एक दिन से मेरा सिर दुख रहा है।'],
  ],
  Chinese: [
    ['火车晚点了一个小时。', '我们的铁路旅程推迟了六十分钟才开始。'],
    ['我忘记了密码。', '没有口令怎样才能重新登录我的账户？'],
    ['这汤太咸了。', '有人在汤里放了太多盐。'],
    ['商店六点关门。', '晚上六点以后这里就买不到东西了。'],
    ['手机一天要充两次电。', '我的手机不到晚上电池就没电了。'],
    ['这双鞋我穿太小了。', '这双靴子我需要大一号的。'],
    ['整个星期都在下雨。', '连续七天都是潮湿的天气。'],
    ['我从昨天起就头疼。', '我的头已经痛了一整天。'],
  ],
  Thai: [
    ['รถไฟมาสายหนึ่งชั่วโมง', 'การเดินทางด้วยรถไฟของเราเริ่มช้าไปหกสิบนาที'],
    ['ฉันลืมรหัสผ่าน', 'จะกลับเข้าบัญชีของฉันโดยไม่มีรหัสลับได้อย่างไร'],
    ['ซุปนี้เค็มเกินไป', 'มีคนใส่เกลือในน้ำซุปนี้มากเกินไป'],
    ['ร้านปิดตอนหกโมงเย็น', 'หลังหกโมงเย็นซื้ออะไรที่นี่ไม่ได้แล้ว'],
    ['โทรศัพท์ต้องชาร์จวันละสองครั้ง', 'แบตเตอรี่มือถือของฉันหมดก่อนค่ำ'],
    ['รองเท้าคู่นี้เล็กเกินไปสำหรับฉัน', 'ฉันต้องการรองเท้าบูตคู่นี้ใหญ่ขึ้นหนึ่งเบอร์'],
    ['ฝนตกทั้งสัปดาห์', 'อากาศเปียกชื้นเจ็ดวันไม่หยุด'],
    ['ฉันปวดหัวตั้งแต่เมื่อวาน', 'หัวของฉันเจ็บมาทั้งวันแล้ว'],
  ],
};
